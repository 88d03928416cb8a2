import type { Router } from '../router.ts';
import type { GatewaySettings } from './gateway-settings.ts';

type Judges = Pick<Router, 'artifact' | 'canJudge' | 'judgeUses' | 'judgeGaps'>;
type Cascade = GatewaySettings['cascade'];

/** What decides on some requests, and what the configuration says about looks at replies to them. */
interface Scope {
  /** In the configuration, such as `profiles.chat.cascade`. */
  readonly field: string;
  readonly cascade: Cascade;
  readonly judges: Judges;
  /** Rungs of the ladder, 0 the cheapest. */
  readonly rungs: readonly number[];
}

/**
 * A sentence for each field of `cascade` that does nothing with the judges that serve, for each that they cannot do without, and for what they cannot
 * tell of a reply. A profile's field is named as its own if it differs from that of all requests.
 */
export function cascadeWarnings(
  settings: Pick<GatewaySettings, 'cascade' | 'profiles'>,
  router: Judges & Pick<Router, 'ladder' | 'profiles'>,
): string[] {
  const all = scopeOf('cascade', settings.cascade, router, router.ladder);
  const ofProfiles = [...router.profiles].flatMap(([name, served]): Scope[] => {
    const cascade = settings.profiles[name]?.cascade ?? settings.cascade;
    return cascade === 'off' ? [] : [scopeOf(`profiles.${name}.cascade`, cascade, served, served.rungs)];
  });
  const lacking = [all, ...ofProfiles].flatMap((scope) => FURTHER.flatMap((name) => lackOf(name, scope)));
  const idle = FIELDS.flatMap((name) => {
    const isInherited = ({ cascade }: Scope) => cascade[name] === settings.cascade[name];
    const own = ofProfiles.filter((scope) => !isInherited(scope));
    return [[all, ...ofProfiles.filter(isInherited)], ...own.map((scope) => [scope])].flatMap((scopes) =>
      idleField(name, scopes),
    );
  });
  const gaps = [all, ...ofProfiles].flatMap(({ judges: { artifact, judgeGaps } }) =>
    judgeGaps.map((gap) => `Artifact ${artifact.name}: ${gap}`),
  );
  return [...new Set([...lacking, ...idle, ...gaps])];
}

function scopeOf(field: string, cascade: Cascade, judges: Judges, ladder: Router['ladder']): Scope {
  return { field, cascade, judges, rungs: [...ladder.keys()] };
}

const FURTHER = ['samples', 'verifier'] as const;
const FIELDS = [...FURTHER, 'validators'] as const;

/** By the field that asks for it: the signal, and the words for what it takes. */
const SIGNALS = {
  samples: { signal: 'agreement', words: 'several samples' },
  verifier: { signal: 'verifier', words: 'a verifier' },
} as const;

function lackOf(name: (typeof FURTHER)[number], { field, cascade, judges, rungs }: Scope): string[] {
  const { signal, words } = SIGNALS[name];
  if (cascade[name] !== undefined || !rungs.some((rung) => judges.canJudge(rung, [signal]) === false))
    return [];
  return [
    `The judge of the artifact ${judges.artifact.name} needs ${words}, and ${field}.${name} is not set: every request goes to the strongest candidate. Set it, or train the cascade without signals.${signal}.`,
  ];
}

/** @param scopes with one value of the field, the first one's, which is named */
function idleField(name: (typeof FIELDS)[number], scopes: readonly Scope[]): string[] {
  const [{ field, cascade, judges }] = scopes as readonly [Scope];
  const value = cascade[name];
  if (value === undefined || (Array.isArray(value) && value.length === 0)) return [];
  const judged = scopes.filter(({ judges, rungs }) =>
    rungs.some((rung) => judges.canJudge(rung, []) !== undefined),
  );
  if (judged.length === 0) {
    return [
      `${field}.${name} does nothing: the artifact ${judges.artifact.name} has no cascade, so no reply is judged. Take it out, or serve an artifact of plimsoll train --cascade.`,
    ];
  }
  if (name === 'validators') return [];
  const { signal, words } = SIGNALS[name];
  if (judged.some(({ judges, rungs }) => rungs.some((rung) => judges.judgeUses(rung, signal)))) return [];
  return [
    `${field}.${name} does nothing: the judge of the artifact ${judged[0]!.judges.artifact.name} did not learn from ${words}, so it is not asked for. Take it out, or train the cascade on cases with signals.${signal}.`,
  ];
}
