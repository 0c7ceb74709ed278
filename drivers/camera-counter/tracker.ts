import { assign } from './assignment.ts';
import { type Box, enlarge, hiddenBelow, isBox, isPart, likeness, overlap } from './boxes.ts';
import { correct, predict, startMotion, type Motion } from './motion.ts';

/** A track that was seen in the latest frame. */
export interface Sighting {
  readonly trackId: number;
  /** Smoothed box; its bottom centre is where the person stands. */
  readonly box: Box;
  /** Seconds since the track began. */
  readonly ageS: number;
  /** True when the track has shown that it is a person of its own, not a part or a double of another. */
  readonly solid: boolean;
  /** True when this very frame shows it so. */
  readonly proven: boolean;
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
  /** A weaker box down to this score may continue a track. */
  readonly lowScore: number;
  /** A weaker box down to this score may start a track where it shares at most `birthShare` of itself with any other. */
  readonly birthScore: number;
  readonly birthShare: number;
  /** A track unseen for so long is over. */
  readonly lostS: number;
  /** The same for one seen only once, and for one that is not solid. */
  readonly tentativeS: number;
  readonly shadowLostS: number;
  /** Random acceleration of a walker, heights per s². */
  readonly acceleration: number;
  /** Error of a well-seen box's edge, heights. */
  readonly edgeSigma: number;
  /** Least similarity of a first-stage pair. */
  readonly minSimilarity: number;
  /** Least overlap of a weak box with a prediction. */
  readonly minWeakOverlap: number;
  /** What a pair costs more when the track is not solid, and per second in which it was not seen. */
  readonly shadowDoubt: number;
  readonly lostDoubt: number;
  /** What a track costs that gets no box: it must not take another's for the sake of one pair more, a good one for two bad. */
  readonly aloneCost: number;
  /** A track is solid after so many boxes of that score of which at most `partShare` lay in a better track's box. */
  readonly solidHits: number;
  readonly solidScore: number;
  readonly partShare: number;
  /** A solid track that has shown no such box for so long is solid no more: something else has taken it over. */
  readonly solidS: number;
}

/** Chosen on simulated streets as well as on real clips; none is a knife's edge: half or double moves little. */
export const TRACKER: TrackerOptions = {
  highScore: 0.4,
  lowScore: 0.12,
  birthScore: 0.25,
  birthShare: 0.4,
  lostS: 2,
  tentativeS: 0.6,
  shadowLostS: 0.8,
  acceleration: 1.2,
  edgeSigma: 0.05,
  minSimilarity: 0.15,
  minWeakOverlap: 0.35,
  shadowDoubt: 0.2,
  lostDoubt: 0.2,
  aloneCost: 1.5,
  solidHits: 3,
  solidScore: 0.5,
  partShare: 0.5,
  solidS: 2,
};

/** More tracks than this cannot be told apart in one picture; later newcomers are left out. */
export const MAX_TRACKS = 256;

/** Boxes of one frame that are looked at, best first: bounds the cost of matching. */
export const MAX_FRAME_BOXES = 256;

/** A track's height never falls below this, px: a filter may overshoot. */
const LEAST_HEIGHT_PX = 4;

interface Track {
  readonly id: number;
  readonly bornS: number;
  seenS: number;
  hits: number;
  /** Boxes that showed a person of its own, and when the last one did. */
  solidHits: number;
  solidS: number;
  box: Box;
  centre: Motion;
  foot: Motion;
  height: Motion;
  width: number;
}

/**
 * Follows persons from frame to frame by the place of their boxes alone: nothing of their looks is kept.
 * Two stages as in ByteTrack: strong boxes first, then weak ones continue what is left, for a person half hidden has a
 * weak box. A hidden person's track moves on for a while and takes up the box that appears where it should.
 * A detector draws parts and doubles of a person too: tracks that only ever live on those are never solid.
 * @see https://arxiv.org/abs/2110.06864 ByteTrack
 * @see https://arxiv.org/abs/2308.00783 Hybrid-SORT, overlap times likeness of heights
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
  update(detected: readonly Box[], atMs: number): TrackerUpdate {
    const nowS = atMs / 1000;
    const ended: number[] = [];
    if (nowS <= this.nowS) {
      ended.push(...this.tracks.map((track) => track.id));
      this.tracks = [];
    }
    const dt = this.tracks.length === 0 ? 0 : nowS - this.nowS;
    this.nowS = nowS;
    for (const track of this.tracks) this.move(track, dt);

    const { highScore, lowScore } = this.options;
    const boxes = detected
      .filter((box) => isBox(box) && box.score >= lowScore)
      .toSorted((one, other) => other.score - one.score)
      .slice(0, MAX_FRAME_BOXES);
    const strong = boxes.filter((box) => box.score >= highScore);
    const weak = boxes.filter((box) => box.score < highScore);
    const first = this.match(this.tracks, strong, boxes, (track, box) => this.similarity(track, box));
    const rest = this.tracks.filter((track) => !first.seen.includes(track));
    const second = this.match(rest, weak, boxes, (track, box) => this.weakSimilarity(track, box));
    const seen = [...first.seen, ...second.seen];
    for (const box of [...first.left, ...second.left.filter((weakBox) => this.mayBegin(weakBox, boxes))])
      if (this.tracks.length < MAX_TRACKS) seen.push(this.begin(box));
    this.prove(seen);
    ended.push(...this.end());
    return { seen: seen.map((track) => this.sighting(track)), ended };
  }

  private move(track: Track, dt: number): void {
    const sigma = this.options.acceleration * track.height.position;
    track.centre = predict(track.centre, dt, sigma);
    track.foot = predict(track.foot, dt, sigma);
    // A walker's height changes only as fast as he comes nearer.
    track.height = predict(track.height, dt, sigma * 0.3);
  }

  /** Pairs tracks with boxes and corrects the tracks; says which were seen and which boxes are left. */
  private match(
    tracks: readonly Track[],
    boxes: readonly Box[],
    all: readonly Box[],
    similarity: (track: Track, box: Box) => number,
  ): { readonly seen: readonly Track[]; readonly left: readonly Box[] } {
    const pairs = assign(
      tracks.map((track) =>
        boxes.map((box) => {
          const value = similarity(track, box);
          return value > 0 ? 1 - value + this.doubt(track) : Infinity;
        }),
      ),
      this.options.aloneCost,
    );
    const seen: Track[] = [];
    const used = new Set<number>();
    pairs.forEach((column, row) => {
      const track = tracks[row];
      const box = boxes[column];
      if (track === undefined || box === undefined) return;
      used.add(column);
      this.see(track, box, all);
      seen.push(track);
    });
    return { seen, left: boxes.filter((_, at) => !used.has(at)) };
  }

  /**
   * Overlap of the boxes, both enlarged by what a walker may have strayed meanwhile, times the likeness of their heights.
   * Without enlarging, a walker at three frames a second no longer overlaps with himself.
   */
  private similarity(track: Track, box: Box): number {
    const margin = Math.min(0.9, 0.2 + this.nowS - track.seenS);
    const expected = boxOf(track);
    const value = overlap(enlarge(expected, margin), enlarge(box, margin)) * likeness(expected.height, box.height);
    return value >= this.options.minSimilarity ? value : 0;
  }

  private weakSimilarity(track: Track, box: Box): number {
    // A weak box is too little to find a track again that was lost for long.
    if (this.nowS - track.seenS > this.options.lostS / 2) return 0;
    const value = overlap(enlarge(boxOf(track), 0.1), enlarge(box, 0.1));
    return value >= this.options.minWeakOverlap ? value : 0;
  }

  /** A box goes to the track that was seen last and is surely a person, where several would do. */
  private doubt(track: Track): number {
    const { shadowDoubt, lostDoubt, solidHits } = this.options;
    return (track.solidHits < solidHits ? shadowDoubt : 0) + Math.min(0.5, lostDoubt * (this.nowS - track.seenS));
  }

  private see(track: Track, box: Box, all: readonly Box[]): void {
    const sigma = this.options.edgeSigma * track.height.position * (1 + 2 * (1 - box.score));
    // Where a nearer person covers the legs, the lower edge is a guess.
    const doubt = 1 + 4 * hiddenBelow(box, all);
    track.centre = correct(track.centre, box.x + box.width / 2, sigma);
    track.foot = correct(track.foot, box.y + box.height, sigma * doubt);
    track.height = correct(track.height, box.height, sigma * doubt);
    track.width += 0.3 * (box.width - track.width);
    track.seenS = this.nowS;
    track.hits += 1;
    track.box = box;
  }

  private mayBegin(weak: Box, boxes: readonly Box[]): boolean {
    const { birthScore, birthShare } = this.options;
    return weak.score >= birthScore && !boxes.some((other) => other !== weak && isPart(weak, other, birthShare));
  }

  private begin(box: Box): Track {
    const sigma = this.options.edgeSigma * box.height;
    // A walker makes about one height a second, less of it towards the camera.
    const speed = box.height;
    const track: Track = {
      id: this.nextId,
      bornS: this.nowS,
      seenS: this.nowS,
      hits: 1,
      solidHits: 0,
      solidS: -Infinity,
      box,
      centre: startMotion(box.x + box.width / 2, sigma, speed),
      foot: startMotion(box.y + box.height, sigma, speed * 0.5),
      height: startMotion(box.height, sigma, speed * 0.2),
      width: box.width,
    };
    this.nextId += 1;
    this.tracks.push(track);
    return track;
  }

  /** Notes which of the seen tracks showed a person of their own. */
  private prove(seen: readonly Track[]): void {
    const { solidScore, partShare } = this.options;
    for (const track of seen) {
      const { box } = track;
      if (box.score < solidScore) continue;
      const better = (other: Track): boolean => other !== track && other.box.score >= box.score;
      if (seen.some((other) => better(other) && isPart(box, other.box, partShare))) continue;
      track.solidHits += 1;
      track.solidS = this.nowS;
    }
  }

  private end(): readonly number[] {
    const { solidHits, tentativeS, shadowLostS, lostS } = this.options;
    const over = (track: Track): boolean =>
      this.nowS - track.seenS > (track.hits < 2 ? tentativeS : track.solidHits < solidHits ? shadowLostS : lostS);
    const ended = this.tracks.filter(over).map((track) => track.id);
    this.tracks = this.tracks.filter((track) => !over(track));
    return ended;
  }

  private sighting(track: Track): Sighting {
    const { solidHits, solidS } = this.options;
    return {
      trackId: track.id,
      box: boxOf(track),
      ageS: this.nowS - track.bornS,
      solid: track.solidHits >= solidHits && this.nowS - track.solidS <= solidS,
      proven: track.solidS === this.nowS,
    };
  }
}

function boxOf(track: Track): Box {
  const height = Math.max(LEAST_HEIGHT_PX, track.height.position);
  return {
    x: track.centre.position - track.width / 2,
    y: track.foot.position - height,
    width: track.width,
    height,
    score: track.box.score,
  };
}
