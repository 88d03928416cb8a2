/** Below this share of common letter pairs two names are strangers. */
const LEAST_SIMILARITY = 0.4;

/** The name that looks most like the wanted one, by common pairs of letters (Dice); undefined if none comes near. */
export function mostSimilar(wanted: string, names: readonly string[]): string | undefined {
  const pairs = letterPairs(wanted);
  let best: { name: string | undefined; similarity: number } = {
    name: undefined,
    similarity: LEAST_SIMILARITY,
  };
  for (const name of names) {
    const similarity = dice(pairs, letterPairs(name));
    if (similarity > best.similarity) best = { name, similarity };
  }
  return best.name;
}

function letterPairs(name: string): ReadonlySet<string> {
  const letters = name.toLowerCase().replace(/[^\p{L}\p{N}]/gu, '');
  return new Set(Array.from({ length: Math.max(0, letters.length - 1) }, (_, i) => letters.slice(i, i + 2)));
}

/** 2 |both| / (|a| + |b|), 0 to 1. */
function dice(a: ReadonlySet<string>, b: ReadonlySet<string>): number {
  const both = [...a].filter((pair) => b.has(pair)).length;
  return a.size + b.size === 0 ? 0 : (2 * both) / (a.size + b.size);
}
