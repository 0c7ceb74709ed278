/**
 * One coordinate of a moving thing: position and velocity with their uncertainty, a Kalman filter of constant velocity
 * with white acceleration. Time in seconds, so that it means the same at every frame rate.
 */
export interface Motion {
  readonly position: number;
  readonly velocity: number;
  /** Covariance: position, position and velocity, velocity. */
  readonly pp: number;
  readonly pv: number;
  readonly vv: number;
}

/** A thing just seen, speed unknown. */
export function startMotion(position: number, sigma: number, speedSigma: number): Motion {
  return { position, velocity: 0, pp: sigma * sigma, pv: 0, vv: speedSigma * speedSigma };
}

/** Where it will be after `dt` seconds, with random acceleration of `sigma` per s². */
export function predict(motion: Motion, dt: number, sigma: number): Motion {
  const q = sigma * sigma;
  const { velocity, pv, vv } = motion;
  return {
    position: motion.position + velocity * dt,
    velocity,
    pp: motion.pp + 2 * dt * pv + dt * dt * vv + (q * dt ** 4) / 4,
    pv: pv + dt * vv + (q * dt ** 3) / 2,
    vv: vv + q * dt * dt,
  };
}

/** Corrects a prediction by a measurement with that standard deviation. */
export function correct(motion: Motion, measured: number, sigma: number): Motion {
  const total = motion.pp + sigma * sigma;
  const gainP = motion.pp / total;
  const gainV = motion.pv / total;
  const residual = measured - motion.position;
  return {
    position: motion.position + gainP * residual,
    velocity: motion.velocity + gainV * residual,
    pp: (1 - gainP) * motion.pp,
    pv: (1 - gainP) * motion.pv,
    vv: motion.vv - gainV * motion.pv,
  };
}
