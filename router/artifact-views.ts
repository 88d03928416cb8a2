import path from 'node:path';
import {
  type ArtifactFiles,
  type Floors,
  readArtifact,
  readPublicKey,
  resolveArtifact,
  type ServedLadder,
  type Standing,
  servedLadder,
  servedPolicy,
  standingInFolder,
} from './artifact/index.ts';
import type { Config } from './config/index.ts';
import { PlimsollError } from './errors.ts';
import { PACKAGE_FOLDER } from './package.ts';
import { type PolicyBook, servedPolicies } from './policy/index.ts';

/** The artifact that ships, used if the configuration names none. */
export const STARTER_FOLDER = path.join(PACKAGE_FOLDER, 'models/starter');

/** A way in which an artifact serves: for the configuration itself, or for one of its profiles. */
export interface ArtifactView {
  /** Undefined: the configuration itself. */
  readonly profile: string | undefined;
  readonly ladder: ServedLadder;
  /** What its verdict is worth under the floors that hold here, when it was read. */
  readonly standing: Standing;
  readonly policies: PolicyBook;
  /** Decides requests that name no policy. */
  readonly defaultPolicy: string;
  readonly margin: number | undefined;
}

/** An artifact, read from its folder with every hash checked, and the ways in which it serves. */
export interface ViewedArtifact {
  readonly artifact: ArtifactFiles;
  /** At least one. That of the configuration itself is the first. */
  readonly views: readonly [ArtifactView, ...ArtifactView[]];
}

/** The folders, or stores, of a configuration's artifacts, each once: its own first. */
export function artifactFolders({ artifact = STARTER_FOLDER, profiles }: Config): readonly string[] {
  const further = Object.values(profiles).map((profile) => profile.artifact ?? artifact);
  return [...new Set([artifact, ...further])];
}

/**
 * Reads the artifacts of a configuration, each once, whoever names it. The configuration's own is the first.
 * @throws PlimsollError if artifact, policy or ladder do not fit; of a profile the message begins with its field
 */
export function viewedArtifacts(
  config: Config,
  nowMs: number,
): readonly [ViewedArtifact, ...ViewedArtifact[]] {
  const floors: Floors = { ...floorsOf(config.gate), sessions: config.sessions };
  const own = readArtifact(resolveArtifact(config.artifact ?? STARTER_FOLDER));
  const ownView = viewOf(own, { config, floors, nowMs, wanted: config });
  const viewed: [ViewedArtifact, ...ViewedArtifact[]] = [{ artifact: own, views: [ownView] }];
  for (const [name, profile] of Object.entries(config.profiles)) {
    inTermsOf(name, 'artifact' in profile.origins ? 'artifact' : undefined, () => {
      const folder = profile.artifact === undefined ? own.folder : resolveArtifact(profile.artifact);
      const at = viewed.findIndex(({ artifact }) => path.resolve(artifact.folder) === path.resolve(folder));
      const artifact = viewed[at]?.artifact ?? readArtifact(folder);
      const view = viewOf(artifact, { config, floors, nowMs, wanted: profile, name });
      if (at < 0) viewed.push({ artifact, views: [view] });
      else viewed[at] = { artifact, views: [...viewed[at]!.views, view] };
    });
  }
  return viewed;
}

/** @throws PlimsollError, naming `gate.public_key`, if that is no key */
function floorsOf({ publicKey, ...floors }: Config['gate']): Floors {
  return {
    ...floors,
    publicKey: publicKey === undefined ? undefined : readPublicKey(publicKey, 'gate.public_key'),
  };
}

interface ViewParts {
  readonly config: Config;
  readonly floors: Floors;
  readonly nowMs: number;
  readonly wanted: Pick<Config, 'ladder' | 'specialists'> &
    Partial<Pick<Config['profiles'][string], 'policy' | 'margin' | 'origins' | 'artifact'>>;
  /** Name of the profile. */
  readonly name?: string;
}

function viewOf(artifact: ArtifactFiles, { config, floors, nowMs, wanted, name }: ViewParts): ArtifactView {
  const { manifest } = artifact;
  const { margin, policy: defaultPolicy = config.defaultPolicy } = wanted;
  const field = name === undefined ? 'ladder' : `profiles.${name}.ladder`;
  const ladder = servedLadder(
    manifest,
    inheritable(wanted.ladder, wanted, manifest),
    field,
    inheritable(wanted.specialists, wanted, manifest),
  );
  const standing = standingInFolder(
    artifact,
    new Date(nowMs),
    withMargin(floors, margin, wanted.origins?.['margin']),
  );
  const { allowUngated, policies: further } = config;
  const options = { allowUngated, policies: further, defaultPolicy };
  const policies = servedPolicies(options, { ...manifest, policy: servedPolicy(manifest, standing) });
  policies.get(defaultPolicy); // throws if there is none
  return { profile: name, ladder, standing, policies, defaultPolicy, margin };
}

/** Candidates that another artifact than the configuration's own does not have are not inherited from the configuration. */
function inheritable<Value>(
  byCandidate: Readonly<Record<string, Value>>,
  { artifact, origins }: ViewParts['wanted'],
  manifest: ArtifactFiles['manifest'],
): Readonly<Record<string, Value>> {
  if (artifact === undefined || origins === undefined) return byCandidate;
  const known = new Set(manifest.ladder.map(({ candidate }) => candidate));
  const kept = Object.entries(byCandidate).filter(
    ([candidate]) => known.has(candidate) || `ladder.${candidate}` in origins,
  );
  return Object.fromEntries(kept);
}

/** The narrower of the two margins counts. @param origin the profile that the margin comes from */
function withMargin(floors: Floors, margin: number | undefined, origin: string | undefined): Floors {
  if (margin === undefined || margin >= (floors.maxQualityLoss ?? 1)) return floors;
  return { ...floors, maxQualityLoss: margin, maxQualityLossField: `profiles.${origin}.margin` };
}

/** What is wrong with a profile says whose it is. */
function inTermsOf(name: string, field: string | undefined, work: () => void): void {
  try {
    work();
  } catch (error) {
    if (!(error instanceof PlimsollError)) throw error;
    const own = `profiles.${name}`;
    if (error.place.field?.startsWith(own)) throw error;
    const whole = field === undefined ? own : `${own}.${field}`;
    throw new PlimsollError(error.code, `${whole}: ${error.message}`, {
      place: { ...error.place, field: whole },
      cause: error,
    });
  }
}
