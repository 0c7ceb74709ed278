import { spawn, type ChildProcess } from 'node:child_process';
import { createSocket, type Socket as DatagramSocket } from 'node:dgram';
import { createServer, type Server, type Socket } from 'node:net';
import type { AddressInfo } from 'node:net';

export interface RtspServerOptions {
  /** Any file that ffmpeg reads; it is played in real time, again and again. */
  readonly clip: string;
  /** Name and password that the camera asks for (Basic, RFC 7617); none when absent. */
  readonly login?: { readonly name: string; readonly password: string };
}

/** An H.264 network camera on loopback at `/live`, RTP over the RTSP connection itself. */
export interface RtspServer extends AsyncDisposable {
  readonly port: number;
  /** `stall` keeps the line open and sends nothing. */
  fault: 'stall' | null;
  /** Pulls the plug: connections break, new ones are refused. */
  leave(): Promise<void>;
  /** Plugs it in again, at the same port. */
  comeBack(): Promise<void>;
}

/** Viewers at one time; more are refused. */
const MAX_VIEWERS = 8;

/** A request longer than this is none. */
const MAX_REQUEST_BYTES = 8_192;

/** Bytes that a viewer may leave unread before packets are left out for him. */
const MAX_WAITING_BYTES = 4 * 1024 * 1024;

/** RFC 2326 §10.12: a dollar sign, the channel, the length, the packet. */
const INTERLEAVED = 0x24;

/**
 * Starts the camera. ffmpeg encodes and packs; this serves what RFC 2326 asks of a camera that speaks TCP only.
 * @see https://www.rfc-editor.org/rfc/rfc2326
 */
export async function startRtspServer(options: RtspServerOptions): Promise<RtspServer> {
  const camera = new Camera(options);
  await camera.start();
  return camera;
}

class Camera implements RtspServer {
  fault: 'stall' | null = null;
  port = 0;
  private readonly options: RtspServerOptions;
  private readonly sockets = new Set<Socket>();
  private readonly viewers = new Set<Socket>();
  private server: Server | undefined;
  private packets: DatagramSocket | undefined;
  private encoder: ChildProcess | undefined;
  private description = '';

  constructor(options: RtspServerOptions) {
    this.options = options;
  }

  async start(): Promise<void> {
    const packets = createSocket({ type: 'udp4', recvBufferSize: 4 * 1024 * 1024 });
    this.packets = packets;
    await new Promise<void>((resolve) => void packets.bind(0, '127.0.0.1', resolve));
    packets.on('message', (packet) => this.show(packet));
    this.encoder = encode(this.options.clip, packets.address().port);
    this.description = await describe(this.encoder);
    await this.comeBack();
  }

  async comeBack(): Promise<void> {
    const server = createServer({ noDelay: true }, (socket) => this.serve(socket));
    this.server = server;
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(this.port, '127.0.0.1', resolve);
    });
    this.port = (server.address() as AddressInfo).port;
  }

  async leave(): Promise<void> {
    const server = this.server;
    this.server = undefined;
    for (const socket of this.sockets) socket.destroy();
    if (server !== undefined) await new Promise<void>((resolve) => void server.close(() => resolve()));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.leave();
    const encoder = this.encoder;
    if (encoder !== undefined && encoder.exitCode === null && encoder.signalCode === null) {
      const ended = new Promise((resolve) => encoder.once('exit', resolve));
      encoder.kill('SIGKILL');
      await ended;
    }
    this.packets?.close();
  }

  private show(packet: Uint8Array): void {
    if (this.fault === 'stall') return;
    const head = Uint8Array.of(INTERLEAVED, 0, packet.length >> 8, packet.length & 0xff);
    for (const viewer of this.viewers)
      if (viewer.writableLength < MAX_WAITING_BYTES) {
        viewer.write(head);
        viewer.write(packet);
      }
  }

  private serve(socket: Socket): void {
    this.sockets.add(socket);
    socket.once('close', () => {
      this.sockets.delete(socket);
      this.viewers.delete(socket);
    });
    // A viewer that hangs up in the middle is no fault of the camera's.
    socket.on('error', () => socket.destroy());
    let pending: Buffer = Buffer.alloc(0);
    socket.on('data', (chunk: Buffer) => {
      pending = Buffer.concat([pending, chunk]);
      for (;;) {
        // The viewer's RTCP reports come over the same line.
        if (pending[0] === INTERLEAVED && pending.length >= 4) {
          const length = 4 + pending.readUInt16BE(2);
          if (pending.length < length) return;
          pending = pending.subarray(length);
          continue;
        }
        const end = pending.indexOf('\r\n\r\n');
        if (end === -1) {
          if (pending.length > MAX_REQUEST_BYTES) socket.destroy();
          return;
        }
        this.answer(socket, pending.toString('latin1', 0, end));
        pending = pending.subarray(end + 4);
      }
    });
  }

  private answer(socket: Socket, request: string): void {
    const [method = '', url = ''] = (request.split('\r\n')[0] ?? '').split(' ');
    const header = (name: string): string | undefined => new RegExp(`^${name}: *(.*)$`, 'im').exec(request)?.[1];
    const reply = (status: string, headers: readonly string[] = [], body = ''): void => {
      const length = body === '' ? [] : [`Content-Length: ${Buffer.byteLength(body)}`];
      const lines = [`RTSP/1.0 ${status}`, `CSeq: ${header('CSeq') ?? '0'}`, ...headers, ...length, '', body];
      socket.write(lines.join('\r\n'));
    };
    if (method === 'OPTIONS')
      return reply('200 OK', ['Public: OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN, GET_PARAMETER']);
    if (!this.knows(header('Authorization')))
      return reply('401 Unauthorized', ['WWW-Authenticate: Basic realm="camera"']);
    if (!new URL(url).pathname.startsWith('/live')) return reply('404 Not Found');
    switch (method) {
      case 'DESCRIBE':
        return reply('200 OK', ['Content-Type: application/sdp', `Content-Base: ${url}/`], this.description);
      case 'SETUP':
        if (!/RTP\/AVP\/TCP.*interleaved=0-1/.test(header('Transport') ?? ''))
          return reply('461 Unsupported Transport');
        return reply('200 OK', ['Transport: RTP/AVP/TCP;unicast;interleaved=0-1', 'Session: 1']);
      case 'PLAY':
        if (this.viewers.size >= MAX_VIEWERS) return reply('453 Not Enough Bandwidth', ['Session: 1']);
        reply('200 OK', ['Session: 1', 'Range: npt=0-']);
        this.viewers.add(socket);
        return;
      case 'TEARDOWN':
        this.viewers.delete(socket);
        return reply('200 OK', ['Session: 1']);
      default:
        return reply(method === 'GET_PARAMETER' ? '200 OK' : '501 Not Implemented', ['Session: 1']);
    }
  }

  private knows(authorization: string | undefined): boolean {
    const { login } = this.options;
    if (login === undefined) return true;
    return authorization === `Basic ${Buffer.from(`${login.name}:${login.password}`).toString('base64')}`;
  }
}

/** A key frame every second: a viewer that comes late sees something soon. */
function encode(clip: string, port: number): ChildProcess {
  const input = ['-v', 'error', '-nostdin', '-re', '-stream_loop', '-1', '-threads', '1', '-i', clip, '-an'];
  const codec = ['-c:v', 'libx264', '-preset', 'ultrafast', '-tune', 'zerolatency', '-threads', '1', '-g', '10'];
  const output = ['-flags', '+global_header', '-f', 'rtp', `rtp://127.0.0.1:${port}?pkt_size=1400`];
  // By default the description waits in stdout's buffer.
  output.unshift('-sdp_file', 'pipe:1');
  return spawn('ffmpeg', [...input, ...codec, ...output], { stdio: ['ignore', 'pipe', 'ignore'] });
}

/** ffmpeg's own description (RFC 8866) as a camera gives it: no port yet, and a name to set the stream up by. */
async function describe(encoder: ChildProcess): Promise<string> {
  let said = '';
  await new Promise<void>((resolve, reject) => {
    encoder.once('error', reject);
    encoder.once('exit', (code) => reject(new Error(`ffmpeg ended with ${code}`)));
    encoder.stdout?.on('data', (chunk: Buffer) => {
      said += chunk.toString('latin1');
      if (/^a=fmtp[^\n]*\n/m.test(said)) resolve();
    });
  });
  const lines = said.split(/\r?\n/).filter((line) => /^[a-z]=/.test(line));
  return `${lines.map((line) => line.replace(/^m=video \d+/, 'm=video 0')).join('\r\n')}\r\na=control:track1\r\n`;
}
