import { assign } from './assignment.ts';
import { correct, predict, startMotion, type Motion } from './motion.ts';

/** A box as the detector drew it: pixels, y down; score 0 … 1. */
export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  readonly score: number;
}

/** A track that was seen in the latest frame. */
export interface Sighting {
  readonly trackId: number;
  /** Smoothed box; its bottom centre is where the person stands. */
  readonly box: Box;
  /** Seconds since the track began. */
  readonly ageS: number;
}

export interface TrackerUpdate {
  readonly seen: readonly Sighting[];
  /** Tracks given up since the last update. */
  readonly ended: readonly number[];
}

/** Every time is in seconds, every length in heights of the person: frame rate and camera distance drop out. */
export interface TrackerOptions {
  /** A box from this score on may start a track and is matched first. */
  readonly highScore: number;
  /** A weaker box down to this score may only continue a track. */
  readonly lowScore: number;
  /** A track unseen for so long is over. */
  readonly lostS: number;
  /** A track seen only once is over after this. */
  readonly tentativeS: number;
  /** Random acceleration of a walker, heights per s². */
  readonly acceleration: number;
  /** Error of a well-seen box's edge, heights. */
  readonly edgeSigma: number;
  /** Least similarity of a first-stage pair. */
  readonly minSimilarity: number;
  /** Least overlap of a weak box with a prediction. */
  readonly minWeakOverlap: number;
}

export const TRACKER: TrackerOptions = {
  highScore: 0.4,
  lowScore: 0.12,
  lostS: 1.6,
  tentativeS: 0.6,
  acceleration: 1.2,
  edgeSigma: 0.05,
  minSimilarity: 0.15,
  minWeakOverlap: 0.4,
};

/** More tracks than this cannot be told apart in one picture; weaker newcomers are left out. */
export const MAX_TRACKS = 256;

interface Track {
  readonly id: number;
  readonly bornS: number;
  seenS: number;
  hits: number;
  score: number;
  centre: Motion;
  foot: Motion;
  width: number;
  height: Motion;
}

/**
 * Follows persons from frame to frame by the place of their boxes alone: nothing of their looks is kept.
 * Two stages as in ByteTrack: strong boxes first, then weak ones continue what is left, for a person half hidden has a
 * weak box. A hidden person's track moves on for a while and takes up the box that appears where it should.
 * @see https://arxiv.org/abs/2110.06864 ByteTrack
 * @see https://arxiv.org/abs/2203.14360 OC-SORT, on the velocity after a gap
 */
export class Tracker {
  private readonly options: TrackerOptions;
  private tracks: Track[] = [];
  private nextId = 1;
  private nowS = -Infinity;

  constructor(options: TrackerOptions = TRACKER) {
    this.options = options;
  }

  /** Takes the boxes of the next frame. Time that stands still or runs backwards ends all tracks. */
  update(all: readonly Box[], atMs: number): TrackerUpdate {
    const nowS = atMs / 1000;
    const ended: number[] = [];
    if (nowS <= this.nowS) {
      ended.push(...this.tracks.map((track) => track.id));
      this.tracks = [];
    }
    const dt = this.tracks.length === 0 ? 0 : nowS - this.nowS;
    this.nowS = nowS;
    for (const track of this.tracks) this.move(track, dt);

    const boxes = all.filter(isBox);
    const strong = boxes.filter((box) => box.score >= this.options.highScore);
    const weak = boxes.filter((box) => box.score < this.options.highScore && box.score >= this.options.lowScore);
    const seen: Track[] = [];
    const left = this.match(this.tracks, strong, boxes, seen, (track, box) => this.similarity(track, box));
    const still = this.tracks.filter((track) => !seen.includes(track));
    this.match(still, weak, boxes, seen, (track, box) => this.weakSimilarity(track, box));
    for (const box of left) if (this.tracks.length < MAX_TRACKS) seen.push(this.begin(box));

    this.tracks = this.tracks.filter((track) => {
      const unseenS = nowS - track.seenS;
      const alive = unseenS <= (track.hits < 2 ? this.options.tentativeS : this.options.lostS);
      if (!alive) ended.push(track.id);
      return alive;
    });
    return {
      seen: seen.map((track) => ({ trackId: track.id, box: boxOf(track), ageS: nowS - track.bornS })),
      ended,
    };
  }

  private move(track: Track, dt: number): void {
    const sigma = this.options.acceleration * track.height.position;
    track.centre = predict(track.centre, dt, sigma);
    track.foot = predict(track.foot, dt, sigma);
    track.height = predict(track.height, dt, sigma * 0.3);
  }

  /** Pairs tracks with boxes, corrects the tracks and returns the boxes that are left. */
  private match(
    tracks: readonly Track[],
    boxes: readonly Box[],
    all: readonly Box[],
    seen: Track[],
    similarity: (track: Track, box: Box) => number,
  ): readonly Box[] {
    const pairs = assign(
      tracks.map((track) =>
        boxes.map((box) => {
          const value = similarity(track, box);
          return value > 0 ? 1 - value : Infinity;
        }),
      ),
    );
    const used = new Set<number>();
    pairs.forEach((column, row) => {
      const track = tracks[row];
      const box = boxes[column];
      if (track === undefined || box === undefined) return;
      used.add(column);
      this.see(track, box, all);
      seen.push(track);
    });
    return boxes.filter((_, at) => !used.has(at));
  }

  /**
   * Overlap of the boxes, both enlarged by what a walker may have strayed meanwhile, times the likeness of their heights.
   * Without enlarging, a walker at three frames a second no longer overlaps with himself.
   */
  private similarity(track: Track, box: Box): number {
    const unseenS = this.nowS - track.seenS;
    const margin = Math.min(0.9, 0.2 + unseenS);
    const expected = boxOf(track);
    const value = overlap(enlarge(expected, margin), enlarge(box, margin)) * likeness(expected.height, box.height);
    return value >= this.options.minSimilarity ? value : 0;
  }

  private weakSimilarity(track: Track, box: Box): number {
    if (this.nowS - track.seenS > this.options.lostS / 2) return 0;
    const expected = boxOf(track);
    const value = overlap(enlarge(expected, 0.1), enlarge(box, 0.1));
    return value >= this.options.minWeakOverlap ? value : 0;
  }

  private see(track: Track, box: Box, all: readonly Box[]): void {
    const height = track.height.position;
    const sigma = this.options.edgeSigma * height * (1 + 2 * (1 - box.score));
    const hidden = hiddenBelow(box, all);
    track.centre = correct(track.centre, box.x + box.width / 2, sigma);
    track.foot = correct(track.foot, box.y + box.height, sigma * (1 + 4 * hidden));
    track.height = correct(track.height, box.height, sigma * (1 + 4 * hidden));
    track.width += 0.3 * (box.width - track.width);
    track.seenS = this.nowS;
    track.hits += 1;
    track.score = box.score;
  }

  private begin(box: Box): Track {
    const sigma = this.options.edgeSigma * box.height;
    // A walker makes about one height a second.
    const speed = box.height;
    const track: Track = {
      id: this.nextId,
      bornS: this.nowS,
      seenS: this.nowS,
      hits: 1,
      score: box.score,
      centre: startMotion(box.x + box.width / 2, sigma, speed),
      foot: startMotion(box.y + box.height, sigma, speed * 0.5),
      width: box.width,
      height: startMotion(box.height, sigma, speed * 0.2),
    };
    this.nextId += 1;
    this.tracks.push(track);
    return track;
  }
}

function isBox({ x, y, width, height, score }: Box): boolean {
  return [x, y, score].every(Number.isFinite) && width > 0 && height > 0 && width < Infinity && height < Infinity;
}

function boxOf(track: Track): Box {
  const height = Math.max(4, track.height.position);
  return {
    x: track.centre.position - track.width / 2,
    y: track.foot.position - height,
    width: track.width,
    height,
    score: track.score,
  };
}

/** Part of the box's lower half that nearer persons cover, 0 … 1: there its bottom edge is a guess. */
function hiddenBelow(box: Box, all: readonly Box[]): number {
  const bottom = box.y + box.height;
  let most = 0;
  for (const other of all) {
    if (other === box || other.score < 0.3 || other.y + other.height <= bottom + 0.02 * box.height) continue;
    const width = Math.min(box.x + box.width, other.x + other.width) - Math.max(box.x, other.x);
    const height = bottom - Math.max(box.y + box.height / 2, other.y);
    if (width > 0 && height > 0) most = Math.max(most, (width * height) / (box.width * (box.height / 2)));
  }
  return Math.min(1, most);
}

function enlarge(box: Box, margin: number): Box {
  const dx = box.width * margin;
  const dy = box.height * margin * 0.5;
  return { ...box, x: box.x - dx, y: box.y - dy, width: box.width + 2 * dx, height: box.height + 2 * dy };
}

function likeness(one: number, other: number): number {
  return Math.min(one, other) / Math.max(one, other);
}

function overlap(one: Box, other: Box): number {
  const width = Math.min(one.x + one.width, other.x + other.width) - Math.max(one.x, other.x);
  const height = Math.min(one.y + one.height, other.y + other.height) - Math.max(one.y, other.y);
  if (width <= 0 || height <= 0) return 0;
  const common = width * height;
  return common / (one.width * one.height + other.width * other.height - common);
}
