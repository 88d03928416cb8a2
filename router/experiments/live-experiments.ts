import { randomUUID } from 'node:crypto';
import { type SafeError, safeError } from '../errors.ts';
import { resultWithin } from '../result-within.ts';
import type { Documents } from '../state/index.ts';
import { type Assignment, armOf, placeOf, unitOf } from './assignment.ts';
import {
  type Arm,
  armProfiles,
  type Canary,
  canaryArms,
  definitionHash,
  type Experiment,
  NO_PROFILE,
  type Shadow,
  type Split,
} from './experiment.ts';
import { type HeldState, readStates } from './experiment-state.ts';

/** What instances look at the states within: a start, a stop or a move holds everywhere after that. */
const EVERY_MS = 1_000;
/** How long a start waits for the first look. */
const START_WITHIN_MS = 3_000;

/** Who asks, as far as an assignment depends on it. */
export interface Asker {
  readonly keyId: string | undefined;
  /** The conversation. Its name is the client's own; the id is a hash of its first words if it has none. */
  readonly session:
    | { readonly id: string; readonly name: string | undefined; readonly keyId: string | undefined }
    | undefined;
}

/** The experiments of the configuration as they run now. */
export interface LiveExperiments {
  /** Takes over the definitions of a configuration. @param standingFault why a profile may not be an arm now; undefined if it may */
  configure(experiments: readonly Experiment[], standingFault: (profile: string) => string | undefined): void;
  /** The arm of a request for a profile; undefined if it is in no experiment. */
  assign(profile: string | undefined, asker: Asker): Assignment | undefined;
  /** The shadows that a request is mirrored to. @param id of the request */
  mirrored(profile: string | undefined, id: string): readonly Shadow[];
  /** Canaries that are at one of their stages now. */
  canaries(): readonly { readonly canary: Canary; readonly held: HeldState }[];
  /** A sentence each for experiments that do not run as they were started. */
  troubles(): readonly string[];
  /** Looks at the states now. Never rejects. */
  refresh(): Promise<void>;
  close(): void;
}

interface LiveParts {
  readonly documents: Documents;
  /** Called when the states cannot be read, and again only after they could be. */
  readonly onFailure: (trouble: SafeError) => void;
  readonly everyMs?: number;
  /** Whether the first look is waited for, some seconds at most: what runs is then in force from the first request on. */
  readonly isAwaited?: boolean;
}

interface Running {
  readonly experiment: Split | Canary;
  readonly arms: readonly Arm[];
}

/** Reads the states each second. While they cannot be read, what was read last stays in force. */
export async function openExperiments(parts: LiveParts): Promise<LiveExperiments> {
  const { documents, onFailure, everyMs = EVERY_MS, isAwaited = true } = parts;
  let experiments: readonly Experiment[] = [];
  let standingFault: (profile: string) => string | undefined = () => undefined;
  let states: ReadonlyMap<string, HeldState> = new Map();
  let running: ReadonlyMap<string, Running> = new Map();
  let shadows: ReadonlyMap<string, readonly Shadow[]> = new Map();
  let troubles: readonly string[] = [];
  let failing = false;
  let reading: Promise<void> | undefined;

  function apply(): void {
    const next = new Map<string, Running>();
    const mirrors = new Map<string, Shadow[]>();
    const faults: string[] = [];
    for (const experiment of experiments) {
      const state = states.get(experiment.name)?.state;
      if (state === undefined || (state.status !== 'running' && state.status !== 'promoted')) continue;
      const fault = faultOf(experiment, state.definition, standingFault);
      if (fault !== undefined) {
        faults.push(fault);
        continue;
      }
      const { profile } = experiment;
      if (experiment.kind === 'shadow') mirrors.set(profile, [...(mirrors.get(profile) ?? []), experiment]);
      else if (experiment.kind === 'split') next.set(profile, { experiment, arms: experiment.arms });
      else {
        const share = experiment.stages[state.stage] ?? 1;
        next.set(profile, { experiment, arms: canaryArms(experiment, share) });
      }
    }
    [running, shadows, troubles] = [next, mirrors, faults];
  }

  async function read(): Promise<void> {
    try {
      states = await readStates(documents);
      failing = false;
    } catch (error) {
      if (!failing) onFailure(safeError(error));
      failing = true;
    }
    apply(); // also because standings change with time
  }

  function refresh(): Promise<void> {
    reading ??= read().finally(() => {
      reading = undefined;
    });
    return reading;
  }

  if (isAwaited) await resultWithin(refresh(), START_WITHIN_MS);
  const timer = setInterval(() => {
    if (experiments.length > 0) void refresh();
  }, everyMs).unref();

  return {
    configure(wanted, fault) {
      [experiments, standingFault] = [wanted, fault];
      apply();
      if (experiments.length > 0) void refresh();
    },
    assign(profile, asker) {
      if (running.size === 0) return undefined;
      const found = running.get(profile ?? NO_PROFILE);
      if (found === undefined) return undefined;
      const { name, unit: kind } = found.experiment;
      const unit = unitOf(name, ...unitParts(kind, asker));
      const arm = armOf(unit, found.arms);
      return {
        experiment: name,
        arm: arm.name,
        profile: arm.profile === NO_PROFILE ? undefined : arm.profile,
        propensity: arm.weight,
        unit,
      };
    },
    mirrored(profile, id) {
      const all = shadows.get(profile ?? NO_PROFILE);
      if (all === undefined) return NO_SHADOWS;
      return all.filter(({ name, share }) => share === 1 || placeOf(unitOf(name, 'request', id)) < share);
    },
    canaries: () =>
      experiments.flatMap((canary) => {
        if (canary.kind !== 'canary') return [];
        const held = states.get(canary.name);
        const isAtWork = held?.state.status === 'running' && held.state.definition === definitionHash(canary);
        return isAtWork ? [{ canary, held }] : [];
      }),
    troubles: () => troubles,
    refresh,
    close: () => clearInterval(timer),
  };
}

const NO_SHADOWS: readonly Shadow[] = [];

function faultOf(
  experiment: Experiment,
  started: string,
  standingFault: (profile: string) => string | undefined,
): string | undefined {
  const { name } = experiment;
  if (definitionHash(experiment) !== started)
    return `The experiment ${name} was changed since it was started, and is paused: start it anew.`;
  for (const profile of armProfiles(experiment)) {
    const fault = standingFault(profile);
    if (fault !== undefined)
      return `The experiment ${name} is paused: its profile ${profile} may not serve. ${fault}`;
  }
  return undefined;
}

/** Named sessions by their names, so that the same is drawn whatever an installation hashes them with. */
function unitParts(kind: Split['unit'], { session, keyId }: Asker): readonly string[] {
  if (kind === 'session' && session !== undefined) {
    const { name, id } = session;
    return name === undefined ? ['inferred', id] : ['session', session.keyId ?? '', name];
  }
  if (kind === 'key' && keyId !== undefined) return ['key', keyId];
  return ['request', randomUUID()];
}
