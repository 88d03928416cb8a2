import { placeName } from '../catalog/index.ts';
import { createIdentityWatch, type IdentityChange, type KnownIdentity } from '../monitoring/index.ts';
import type { RequestFacts } from '../records/index.ts';
import type { Documents } from '../state/index.ts';

/** Watches whether the models that reply change under their names. */
export interface ModelIdentities {
  observe(facts: Pick<RequestFacts, 'served' | 'identity'>): void;
  /** A sentence for each model that has changed since the artifact serves. */
  troubles(): string[];
  /** Another artifact serves: what it was certified on came after the changes so far. */
  forget(): void;
}

const KIND = 'model-identity';

/**
 * @param documents what is known about the models outlives the process there; while they are away, and without them, each process knows its own
 * @param onChange called once for each change
 */
export function createModelIdentities(
  documents: Documents | undefined,
  onChange: (message: string) => void,
): ModelIdentities {
  const watch = createIdentityWatch((name, value) => {
    documents?.put({ scope: '', kind: KIND, id: name }, { value }).catch(() => {});
  });
  /** Models whose document was asked for, and whether it is there. */
  const restored = new Map<string, boolean>();
  const changes = new Map<string, string>();

  /** What the first replies say is left out: before it is known what came earlier it shows nothing. */
  function isRestored(name: string): boolean {
    if (documents === undefined) return true;
    const known = restored.get(name);
    if (known !== undefined) return known;
    restored.set(name, false);
    void restore(name, documents);
    return false;
  }

  async function restore(name: string, from: Documents): Promise<void> {
    const document = await from.get({ scope: '', kind: KIND, id: name }).catch(() => undefined);
    if (document !== undefined) watch.restore(name, document.value as KnownIdentity);
    restored.set(name, true);
  }

  return {
    observe({ served, identity }) {
      if (served === undefined || identity === undefined) return;
      const name = placeName(served);
      if (!isRestored(name)) return;
      const change = watch.observe(name, identity);
      if (change === undefined) return;
      const message = messageOf(change);
      changes.set(name, message);
      onChange(message);
    },
    troubles: () => [...changes.values()],
    forget: () => changes.clear(),
  };
}

function messageOf({ name, field, before, now }: IdentityChange): string {
  const what =
    field === 'model'
      ? `replies come from "${now}", and came from "${before}"`
      : `replies have the fingerprint ${now}, and none of those that were known (${before}) any more`;
  return `${name} has changed under its name: ${what}. Label some of today's requests and gate the artifact again.`;
}
