import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { connect as connectTls, type ConnectionOptions, type TLSSocket } from 'node:tls';
import type { AgentError } from '../../../drivers/api/agent-error.ts';
import { brokerFailure } from './errors.ts';
import { chainFault } from './chain.ts';
import { checkMaterial, type TlsMaterial } from './tls-material.ts';

export interface BrokerTarget {
  readonly host: string;
  readonly port: number;
  readonly tls: TlsMaterial | null;
}

export interface SocketOptions {
  readonly timeoutMs: number;
  /**
   * Set when the machine's clock is known to run behind: a certificate that is "not yet valid" by OpenSSL's clock is
   * then checked again, whole chain, against this time (ms since 1970). Nothing else is forgiven.
   */
  readonly flooredWallMs: number | null;
}

/**
 * Opens one TCP or TLS connection. Throws `broker-unreachable`, `broker-timeout`, `broker-closed`, `broker-tls`,
 * `broker-refuses-certificate`, `broker-material` or `broker-clock`. A connection that breaks before its user listens is
 * `destroyed`; its error ends nobody.
 */
export async function openSocket(target: BrokerTarget, options: SocketOptions, signal: AbortSignal): Promise<Socket> {
  if (target.tls === null)
    return settled(
      connectTcp({ host: target.host, port: target.port, noDelay: true }),
      'connect',
      target,
      options.timeoutMs,
      signal,
    );
  checkMaterial(target.tls);
  const secure = tlsOptions(target, target.tls);
  try {
    return await settled(connectTls(secure), 'secureConnect', target, options.timeoutMs, signal);
  } catch (error) {
    if (options.flooredWallMs === null || !isNotYetValid(error)) throw error;
  }
  const socket = await settled(
    connectTls({ ...secure, rejectUnauthorized: false }),
    'secureConnect',
    target,
    options.timeoutMs,
    signal,
  );
  const fault = chainFault(socket.getPeerCertificate(true), {
    host: target.host,
    ca: target.tls.ca,
    atMs: options.flooredWallMs,
  });
  if (fault === null) return socket;
  socket.destroy();
  throw brokerFailure(fault === 'not-yet-valid' ? 'broker-clock' : 'broker-tls', { detail: fault });
}

function tlsOptions(target: BrokerTarget, tls: TlsMaterial): ConnectionOptions {
  return {
    host: target.host,
    port: target.port,
    minVersion: 'TLSv1.2',
    // RFC 6066 §3 forbids addresses in SNI.
    ...(isIP(target.host) === 0 ? { servername: target.host } : {}),
    ...(tls.ca === null ? {} : { ca: tls.ca }),
    ...(tls.cert === null ? {} : { cert: tls.cert }),
    ...(tls.key === null ? {} : { key: tls.key }),
  };
}

function settled<S extends Socket | TLSSocket>(
  socket: S,
  event: 'connect' | 'secureConnect',
  target: BrokerTarget,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<S> {
  return new Promise((resolve, reject) => {
    const where = `${target.host}:${target.port}`;
    const finish = (failure: unknown): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
      socket.off('error', onError);
      socket.off('close', onClose);
      // An error between this and the next listener, or of a socket that is given up, would end the process.
      socket.on('error', () => undefined);
      if (failure === null) {
        resolve(socket);
        return;
      }
      socket.destroy();
      reject(failure);
    };
    const onAbort = (): void => finish(signal.reason);
    const onError = (error: NodeJS.ErrnoException): void => finish(socketFailure(error, where));
    const onClose = (): void => finish(brokerFailure('broker-closed', { detail: where }));
    const timer = setTimeout(() => finish(brokerFailure('broker-timeout', { detail: where })), timeoutMs);
    socket.once('error', onError);
    socket.once('close', onClose);
    socket.once(event, () => finish(null));
    signal.addEventListener('abort', onAbort, { once: true });
    if (signal.aborted) onAbort();
    socket.setNoDelay(true);
  });
}

const TLS_CODE =
  /^(CERT_|ERR_TLS|ERR_SSL|ERR_OSSL|UNABLE_TO|SELF_SIGNED|DEPTH_ZERO|HOSTNAME_MISMATCH|INVALID_(CA|PURPOSE)|ERROR_IN_CERT|EPROTO)/;

/** RFC 8446 §6.2: the far end says by an alert what it thinks of our certificate; OpenSSL before and after TLS 1.3 names them alike. */
const CERTIFICATE_ALERT =
  /ALERT_((BAD|UNSUPPORTED|NO)_CERTIFICATE|CERTIFICATE_(REQUIRED|EXPIRED|REVOKED|UNKNOWN)|UNKNOWN_CA|ACCESS_DENIED)$/;

/** Words a socket's error by its code. */
export function socketFailure(error: NodeJS.ErrnoException, where: string): AgentError {
  const code = error.code ?? error.name;
  const detail = `${where} (${code})`;
  if (code === 'CERT_NOT_YET_VALID') return brokerFailure('broker-clock', { detail, cause: error });
  if (CERTIFICATE_ALERT.test(code)) return brokerFailure('broker-refuses-certificate', { detail, cause: error });
  if (TLS_CODE.test(code)) return brokerFailure('broker-tls', { detail, cause: error });
  if (code === 'ECONNRESET' || code === 'EPIPE') return brokerFailure('broker-closed', { detail, cause: error });
  if (code === 'ETIMEDOUT') return brokerFailure('broker-timeout', { detail, cause: error });
  return brokerFailure('broker-unreachable', { detail, cause: error });
}

function isNotYetValid(error: unknown): boolean {
  const cause = error instanceof Error ? (error.cause as NodeJS.ErrnoException | undefined) : undefined;
  return cause?.code === 'CERT_NOT_YET_VALID';
}
