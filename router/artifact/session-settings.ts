import { z } from 'zod';

const STICKINESS = ['off', 'priced', 'pinned'] as const;

/** `sessions` of a configuration, as far as decisions depend on it. */
export interface ServedSessions {
  readonly ttlMs: number;
  readonly pinToolTurns: boolean;
  readonly sticky?:
    | {
        readonly stickiness: (typeof STICKINESS)[number];
        readonly marginUsd: number;
        readonly weight: number;
        readonly cacheTtlMs: number;
        readonly rescueAfter: number;
      }
    | undefined;
}

/** The settings that a verdict on sessions is of, by their names in the configuration. What decides nothing under the others is left out. */
export const sessionSettingsSchema = z.strictObject({
  ttl_ms: z.int().min(0),
  pin_tool_turns: z.boolean(),
  stickiness: z.enum(STICKINESS),
  rescue_after: z.int().min(0),
  margin_usd: z.number().min(0).optional(),
  weight: z.number().min(0).optional(),
  cache_ttl_ms: z.int().min(0).optional(),
});

export type SessionSettingsJson = z.infer<typeof sessionSettingsSchema>;

export function sessionSettingsJson({ ttlMs, pinToolTurns, sticky }: ServedSessions): SessionSettingsJson {
  const { stickiness = 'off', rescueAfter = 0 } = sticky ?? {};
  return {
    ttl_ms: ttlMs,
    pin_tool_turns: pinToolTurns,
    stickiness,
    rescue_after: rescueAfter,
    ...(sticky?.stickiness === 'priced' && {
      margin_usd: sticky.marginUsd,
      weight: sticky.weight,
      cache_ttl_ms: sticky.cacheTtlMs,
    }),
  };
}

/** Such as `stickiness: pinned, rescue_after: 0`: the fields in which two settings differ, of the first; empty if they are the same. */
export function otherSettings(one: SessionSettingsJson, other: SessionSettingsJson): string {
  const fields = Object.keys(sessionSettingsSchema.shape) as (keyof SessionSettingsJson)[];
  return fields
    .filter((field) => one[field] !== other[field])
    .map((field) => `${field}: ${one[field] ?? 'none'}`)
    .join(', ');
}
