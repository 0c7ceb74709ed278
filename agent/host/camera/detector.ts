import './no-telemetry.ts';
import { performance } from 'node:perf_hooks';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import sharp from 'sharp';
import type { Detection, DetectionFrame } from '../../../drivers/api/transports.ts';
import { decodePersons } from '../../../models/nanodet-g/decode.ts';
import { type InputSize, nanodet } from '../../../models/nanodet-g/manifest.ts';
import { inputFor } from '../../../models/nanodet-g/input-size.ts';
import { fillPlanes, inputPlanes, letterbox, type Letterbox } from '../../../models/nanodet-g/preprocess.ts';
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

/** The network's input at one size. */
interface Network {
  readonly input: InputSize;
  readonly planes: Float32Array;
  readonly tensor: Tensor;
}

function networkOf(input: InputSize): Network {
  const planes = inputPlanes(input);
  return { input, planes, tensor: new Tensor('float32', planes, [1, 3, input.height, input.width]) };
}

/** A picture in, boxes out. Its buffers are made once and refilled. */
export class Detector {
  private readonly session: InferenceSession;
  private readonly options: DetectorOptions;
  private network: Network;
  /** Refuse pictures that the decoder only warns of: a torn picture shows people where none are. */
  private strict = true;
  private refused = 0;

  private constructor(session: InferenceSession, options: DetectorOptions) {
    this.session = session;
    this.options = options;
    this.network = networkOf(options.input ?? inputFor(null));
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
   * Finds the persons in a picture.
   * @returns `null` when the bytes are no decodable picture
   */
  async detect(picture: SourcePicture): Promise<DetectionFrame | null> {
    const started = performance.now();
    const box = await this.fill(picture);
    if (box === null) return null;
    const decoded = performance.now();
    const outputs = await this.session.run({ [nanodet.inputName]: this.network.tensor });
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
    await this.session.run({ [nanodet.inputName]: this.network.tensor });
    return performance.now() - started;
  }

  private async fill(picture: SourcePicture): Promise<Letterbox | null> {
    if (picture.format === 'jpeg') return this.fillFromJpeg(picture);
    const { scaled } = picture.format;
    const { input, planes } = this.fitting(picture);
    const box = { ...letterbox(picture, input), ...scaled };
    fillPlanes(planes, picture.bytes, {
      ...box,
      scaleX: scaled.width / picture.width,
      scaleY: scaled.height / picture.height,
    });
    return { ...box, scaleX: scaled.width / picture.width, scaleY: scaled.height / picture.height };
  }

  private async fillFromJpeg(picture: SourcePicture): Promise<Letterbox | null> {
    const { input, planes } = this.fitting(picture);
    const box = letterbox(picture, input);
    try {
      const pixels = await sharp(picture.bytes, {
        limitInputPixels: JPEG_LIMITS.maxPixels,
        sequentialRead: true,
        failOn: this.strict ? 'warning' : 'error',
      })
        .resize(box.width, box.height, { fit: 'fill', kernel: 'cubic', fastShrinkOnLoad: true })
        .removeAlpha()
        .toColourspace('srgb')
        .raw()
        .toBuffer();
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

  /** A camera keeps its shape, so that the buffers are made once. */
  private fitting(picture: SourcePicture): Network {
    const wanted = this.options.input ?? inputFor(picture);
    const { width, height } = this.network.input;
    if (wanted.width !== width || wanted.height !== height) this.network = networkOf(wanted);
    return this.network;
  }

  async release(): Promise<void> {
    await this.session.release();
  }
}
