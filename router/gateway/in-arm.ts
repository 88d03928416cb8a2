import type { Asker, Assignment, LiveExperiments } from '../experiments/index.ts';
import type { RouteOptions } from '../router.ts';

/** How a request is decided on, and the arm that this is because of; undefined: it is in no experiment. */
export interface OptionsInArm {
  readonly options: RouteOptions;
  readonly experiment: Assignment | undefined;
}

/** The profile of an arm takes the place of the request's, if that is in an experiment. */
export function optionsInArm(
  options: RouteOptions,
  experiments: Pick<LiveExperiments, 'assign'> | undefined,
  asker: Asker,
): OptionsInArm {
  const experiment = experiments?.assign(options.profile, asker);
  if (experiment === undefined) return { options, experiment };
  const { profile: _, ...others } = options;
  const { profile } = experiment;
  return { options: profile === undefined ? others : { ...others, profile }, experiment };
}
