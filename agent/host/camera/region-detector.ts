import type { CameraRegion, DetectionFrame, PicturePoint } from '../../../drivers/api/transports.ts';
import type { Detector } from './detector.ts';
import type { SourcePicture } from './picture.ts';
import { RegionOfInterest } from './region-of-interest.ts';

/** A detector that looks only where people matter, once it has learned how much of the picture that is. */
export class RegionDetector {
  private readonly detector: Detector;
  private readonly interest: RegionOfInterest;
  private readonly changed: (region: CameraRegion | null) => void;
  private told: CameraRegion | null = null;

  /** @param changed told of each new region; `null` = the whole picture */
  constructor(
    detector: Detector,
    places: readonly (readonly PicturePoint[])[],
    changed: (region: CameraRegion | null) => void,
  ) {
    this.detector = detector;
    this.interest = new RegionOfInterest(places);
    this.changed = changed;
  }

  /** Finds the persons in the next picture; `null` when it cannot be decoded. */
  async detect(picture: SourcePicture): Promise<DetectionFrame | null> {
    const part = this.interest.partOf(picture, picture.atMs);
    this.tell();
    const frame = await this.detector.detect(picture, part);
    if (frame === null) return null;
    this.interest.see(frame);
    this.tell();
    const { region } = this.interest;
    return region === null ? frame : { ...frame, region };
  }

  private tell(): void {
    const { region } = this.interest;
    if (region !== this.told) this.changed(region);
    this.told = region;
  }
}
