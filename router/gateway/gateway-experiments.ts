import type { Catalog } from '../catalog/index.ts';
import { PlimsollError } from '../errors.ts';
import { type CanaryPilot, openCanaryPilot } from '../experiment-results/index.ts';
import {
  type ArrivalReports,
  armProfiles,
  type Canary,
  type Experiment,
  type LiveExperiments,
  NO_PROFILE,
  openArrivalReports,
  openExperiments,
  type Shadow,
  stageText,
} from '../experiments/index.ts';
import { resultWithin } from '../result-within.ts';
import type { Router } from '../router.ts';
import type { State } from '../state/index.ts';
import type { Logger } from '../telemetry/index.ts';
import { checkShadows } from './shadow-models.ts';
import { openShadows, type Shadows } from './shadows.ts';

/** The experiments of a gateway: those that its instances share, and the canaries that one of them moves. */
export interface GatewayExperiments {
  /** What requests are assigned by; undefined without a state that others can read. */
  readonly live: LiveExperiments | undefined;
  /** Where requests say that they are at work, so that results are read in the order in which they came; undefined as `live`. */
  readonly arrivals: ArrivalReports | undefined;
  /** What requests are mirrored by; undefined as `live`. */
  readonly shadows: Shadows | undefined;
  /** Takes over the experiments of a configuration that was checked. */
  configure(settings: ExperimentSettings, router: ExperimentRouter): void;
  troubles(): readonly string[];
  /** @param stored resolves when the records of all requests are stored */
  close(stored: Promise<void> | undefined): Promise<void>;
}

/** What the gateway starts with. */
export interface ExperimentOptions extends Pick<ExperimentSettings, 'experiments'> {
  readonly upstream: { readonly deadlineMs: number };
}

export interface ExperimentSettings {
  readonly experiments: readonly Experiment[];
  readonly allowUngated: boolean;
}

/** How long a start waits for its first report. */
const FIRST_REPORT_MS = 3_000;

type ExperimentRouter = Pick<Router, 'artifact' | 'ladder' | 'profiles' | 'standing' | 'verdict'>;

interface ExperimentEvents {
  /** Stores the records of all requests that have ended. */
  readonly flush: () => Promise<void>;
  /** Called by the instance that sent a canary back. */
  readonly onRolledBack: ((message: string) => void) | undefined;
}

/** @param state undefined, or in memory: no experiment can run */
export async function openGatewayExperiments(
  state: State | undefined,
  { experiments: atStart, upstream }: ExperimentOptions,
  logger: Logger,
  { flush, onRolledBack }: ExperimentEvents,
): Promise<GatewayExperiments> {
  if (state === undefined || state.kind === 'memory') return withoutState();
  const onFailure = (trouble: object) =>
    logger.warn(trouble, 'the states of experiments cannot be read: what was read last stays in force');
  const live = await openExperiments({
    documents: state.documents,
    onFailure,
    isAwaited: atStart.length > 0,
  });
  const arrivals = openArrivalReports({ documents: state.documents, flush });
  if (atStart.some(isCompared)) await resultWithin(arrivals.begin(), FIRST_REPORT_MS);
  const shadows = openShadows({
    state,
    deadlineMs: upstream.deadlineMs,
    onFailure: (trouble) =>
      logger.warn(trouble, 'the ledger cannot be reached: nothing is mirrored until it can'),
  });
  let router: ExperimentRouter | undefined;
  let pilot: CanaryPilot | undefined;
  let canaries: ReadonlyMap<string, Canary> = new Map();
  return {
    live,
    arrivals,
    shadows,
    configure({ experiments, allowUngated }, next) {
      const faultOf = (profile: string) => standingFault(profile, next, allowUngated);
      router = next;
      if (experiments.some(isCompared)) void arrivals.begin();
      live.configure(experiments, faultOf);
      shadows.configure(experiments.filter(isShadow));
      canaries = new Map(experiments.filter(isCanary).map((canary) => [canary.name, canary]));
      if (pilot !== undefined || canaries.size === 0) return;
      pilot = openCanaryPilot({
        ...state,
        experiments: live,
        candidate: (profile) => ({
          artifact: servedAs(profile, router!)?.artifact.sha256 ?? '',
          fault: standingFault(profile, router!, allowUngated),
        }),
        onMove: (name, { status, stage, moves }) => {
          const { reason = '' } = moves.at(-1) ?? {};
          const canary = canaries.get(name);
          const at = canary === undefined ? '' : `, ${stageText(canary, stage)}`;
          logger.warn({ experiment: name, status, stage, reason }, `the canary ${name} is ${status}${at}`);
          if (status === 'rolled-back') onRolledBack?.(`The canary ${name} was rolled back: ${reason}.`);
        },
        onFailure: (trouble) => logger.warn(trouble, 'canaries cannot be moved; it is tried again'),
      });
    },
    troubles: live.troubles,
    async close(stored) {
      live.close();
      await Promise.all([pilot?.close(), shadows.close(), stored]);
      await arrivals.close();
    },
  };
}

/**
 * @param hasState one that others can read
 * @throws PlimsollError `invalid-config` if there are experiments and no state, or a shadow's model has no price; `ungated` if an arm has no PASS
 */
export function checkExperiments(
  { experiments, allowUngated }: ExperimentSettings,
  router: ExperimentRouter,
  catalog: Catalog,
  hasState: boolean,
): void {
  if (experiments.length > 0 && !hasState) {
    throw new PlimsollError(
      'invalid-config',
      'experiments need a state that other processes can read, and the gateway was started without one. Set state.kind to sqlite or postgres, and start it again.',
      { place: { field: 'experiments' } },
    );
  }
  checkShadows(experiments.filter(isShadow), { router, catalog });
  refuseUngated(experiments, router, allowUngated);
}

/** @throws PlimsollError `ungated` if the profile of an arm may not serve at this moment */
function refuseUngated(
  experiments: readonly Experiment[],
  router: ExperimentRouter,
  allowUngated: boolean,
): void {
  assertGated(experiments, (profile) => standingFault(profile, router, allowUngated));
}

function isCanary(experiment: Experiment): experiment is Canary {
  return experiment.kind === 'canary';
}

/** Its results are of requests that clients got replies to. */
function isCompared(experiment: Experiment): boolean {
  return !isShadow(experiment);
}

function isShadow(experiment: Experiment): experiment is Shadow {
  return experiment.kind === 'shadow';
}

function withoutState(): GatewayExperiments {
  return {
    live: undefined,
    arrivals: undefined,
    shadows: undefined,
    configure() {},
    troubles: () => [],
    close: async (stored) => stored,
  };
}

/** What serves under the name of a profile; undefined: nothing. */
function servedAs(
  profile: string,
  router: ExperimentRouter,
): Omit<ExperimentRouter, 'profiles' | 'ladder'> | undefined {
  return profile === NO_PROFILE ? router : router.profiles.get(profile);
}

/** An arm claims what its own profile may claim, at this moment. Undefined if it may serve. */
function standingFault(profile: string, router: ExperimentRouter, allowUngated: boolean): string | undefined {
  const served = servedAs(profile, router);
  if (served === undefined) return 'There is no such profile.';
  if (allowUngated || served.verdict() === 'PASS') return undefined;
  const standing = served.standing();
  return standing.kind === 'pass' ? 'Its policy has no PASS.' : standing.why;
}

function assertGated(
  experiments: readonly Experiment[],
  faultOf: (profile: string) => string | undefined,
): void {
  for (const experiment of experiments) {
    for (const profile of armProfiles(experiment)) {
      const fault = faultOf(profile);
      if (fault === undefined) continue;
      const field = `experiments.${experiment.name}`;
      throw new PlimsollError(
        'ungated',
        `${field}: the profile ${profile} has no PASS and may not be an arm. ${fault} Or let it serve without proof: allow_ungated: true.`,
        { place: { field } },
      );
    }
  }
}
