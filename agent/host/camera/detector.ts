import './no-telemetry.ts';
import { performance } from 'node:perf_hooks';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import sharp, { type Sharp } from 'sharp';
import type { Detection, DetectionFrame } from '../../../drivers/api/transports.ts';
import { decodePersons } from '../../../models/nanodet-g/decode.ts';
import { type InputSize, nanodet } from '../../../models/nanodet-g/manifest.ts';
import { inputFor, inputForPart } from '../../../models/nanodet-g/input-size.ts';
import {
  fillPlanes,
  fittingScale,
  type FramePart,
  inputPlanes,
  letterbox,
  type Letterbox,
  letterboxPart,
} from '../../../models/nanodet-g/preprocess.ts';
import { cameraFailure } from '../../../drivers/lib/camera-errors.ts';
import { JPEG_LIMITS } from './jpeg-splitter.ts';
import type { SourcePicture } from './picture.ts';

export interface DetectorOptions {
  readonly modelPath: string;
  /** `null` = by the shape of the picture. */
  readonly input: InputSize | null;
  readonly threads: number;
  readonly minScore: number;
}

/** Two boxes that share more than this are one person: the model's own value. */
const MAX_IOU = 0.6;

/** Cheap cameras write pictures that are never quite right: after so many in a row, warnings are put up with. */
const STRICT_REFUSALS = 25;

// One picture at a time: libvips must neither start threads nor keep pictures.
sharp.concurrency(1);
sharp.cache(false);

/** One way of looking at a picture, with the network's input for it. */
interface View {
  readonly box: Letterbox;
  readonly planes: Float32Array;
  readonly tensor: Tensor;
}

/** The whole picture, a part of it, and the part before. */
const MAX_VIEWS = 3;

function viewOn(box: Letterbox): View {
  const planes = inputPlanes(box.input);
  return { box, planes, tensor: new Tensor('float32', planes, [1, 3, box.input.height, box.input.width]) };
}

/** Scales and cuts, interleaved RGB. Cut last: so a JPEG is still decoded small, and what is not needed is never made. */
async function pixelsOf(picture: Sharp, { whole, left, top, width, height }: Letterbox): Promise<Uint8Array> {
  const scaled = picture.resize(whole.width, whole.height, { fit: 'fill', kernel: 'cubic', fastShrinkOnLoad: true });
  const cut = width === whole.width && height === whole.height ? scaled : scaled.extract({ left, top, width, height });
  return cut.removeAlpha().toColourspace('srgb').raw().toBuffer();
}

/** A picture in, boxes out. Its buffers are made once and refilled. */
export class Detector {
  private readonly session: InferenceSession;
  private readonly options: DetectorOptions;
  private readonly views = new Map<string, View>();
  private view: View;
  /** Refuse pictures that the decoder only warns of: a torn picture shows people where none are. */
  private strict = true;
  private refused = 0;

  private constructor(session: InferenceSession, options: DetectorOptions) {
    this.session = session;
    this.options = options;
    const input = options.input ?? inputFor(null);
    this.view = viewOn(letterbox(input, input));
  }

  /** @throws AgentError `model-unusable` */
  static async load(options: DetectorOptions): Promise<Detector> {
    try {
      const session = await InferenceSession.create(options.modelPath, {
        intraOpNumThreads: options.threads,
        interOpNumThreads: 1,
        executionMode: 'sequential',
        graphOptimizationLevel: 'all',
        // Idle threads that spin would take the other core from the till.
        extra: { session: { intra_op: { allow_spinning: '0' } } },
      });
      return new Detector(session, options);
    } catch (cause) {
      throw cameraFailure('model-unusable', { detail: options.modelPath, cause });
    }
  }

  /**
   * Finds the persons in a picture, or in a part of it; boxes are in pixels of the whole picture either way.
   * @returns `null` when the bytes are no decodable picture
   */
  async detect(picture: SourcePicture, part: FramePart | null = null): Promise<DetectionFrame | null> {
    const started = performance.now();
    const box = await this.fill(picture, part);
    if (box === null) return null;
    const decoded = performance.now();
    const outputs = await this.session.run({ [nanodet.inputName]: this.view.tensor });
    const inferred = performance.now();
    const cells = nanodet.outputs.map(({ name }) => outputs[name]?.data as Float32Array);
    const detections: readonly Detection[] = decodePersons(cells, {
      box,
      minScore: this.options.minScore,
      maxIou: MAX_IOU,
    });
    return {
      frame: picture.frame,
      atMs: picture.atMs,
      widthPx: picture.width,
      heightPx: picture.height,
      detections,
      stagesMs: {
        decode: decoded - started,
        inference: inferred - decoded,
        post: performance.now() - inferred,
      },
    };
  }

  /** Inference alone on the picture filled last, ms: what the benchmark compares with. */
  async inferMs(): Promise<number> {
    const started = performance.now();
    await this.session.run({ [nanodet.inputName]: this.view.tensor });
    return performance.now() - started;
  }

  private async fill(picture: SourcePicture, part: FramePart | null): Promise<Letterbox | null> {
    const { planes, box } = this.fitting(picture, part);
    if (picture.format === 'jpeg') return this.fillFromJpeg(picture, planes, box);
    const { scaled } = picture.format;
    const raw = { width: scaled.width, height: scaled.height, channels: 3 } as const;
    const ready = part === null && scaled.width === box.width && scaled.height === box.height;
    fillPlanes(planes, ready ? picture.bytes : await pixelsOf(sharp(picture.bytes, { raw }), box), box);
    return box;
  }

  private async fillFromJpeg(picture: SourcePicture, planes: Float32Array, box: Letterbox): Promise<Letterbox | null> {
    try {
      const jpeg = sharp(picture.bytes, {
        limitInputPixels: JPEG_LIMITS.maxPixels,
        sequentialRead: true,
        failOn: this.strict ? 'warning' : 'error',
      });
      const pixels = await pixelsOf(jpeg, box);
      if (pixels.length !== 3 * box.width * box.height) return null;
      fillPlanes(planes, pixels, box);
      this.refused = 0;
      return box;
    } catch {
      // Broken entropy data: the splitter cannot see it, the decoder can. The caller counts it.
      this.refused += 1;
      if (this.refused >= STRICT_REFUSALS) this.strict = false;
      return null;
    }
  }

  /** A camera keeps its shape, and its part for long: so the buffers are made once and the choice is made once. */
  private fitting(picture: SourcePicture, part: FramePart | null): View {
    const key = [picture.width, picture.height, part?.x, part?.y, part?.width, part?.height].join(' ');
    let view = this.views.get(key);
    if (view === undefined) {
      view = this.viewOf(picture, part);
      this.views.set(key, view);
      const [oldest] = this.views.keys();
      if (this.views.size > MAX_VIEWS && oldest !== undefined) this.views.delete(oldest);
    }
    this.view = view;
    return view;
  }

  private viewOf(picture: InputSize, part: FramePart | null): View {
    if (part === null) {
      const input = this.options.input ?? inputFor(picture);
      return viewOn(letterbox(picture, input));
    }
    const most = Math.max(1, fittingScale(picture, this.options.input ?? inputFor(picture)));
    return viewOn(letterboxPart(picture, this.options.input ?? inputForPart(part, most), part, most));
  }

  async release(): Promise<void> {
    await this.session.release();
  }
}
