/** Longer names are compared by their beginning: the comparison takes time with the product of both lengths. */
const COMPARED_CHARACTERS = 100;

/**
 * The name that a mistyped one is nearest to by edit distance (Levenshtein 1966), the first of equals. Case does not count.
 * Undefined if none is near: more than a third of its characters, and more than two, would have to change.
 */
export function nearestName(wanted: string, names: Iterable<string>): string | undefined {
  const text = comparable(wanted);
  let nearest: string | undefined;
  let least = nearLimit(text) + 1;
  for (const name of names) {
    const distance = distanceWithin(least - 1, text, comparable(name));
    if (distance < least) [nearest, least] = [name, distance];
  }
  return nearest;
}

/** A name as it is compared: its beginning, without case. */
export function comparable(name: string): string {
  return name.slice(0, COMPARED_CHARACTERS).toLowerCase();
}

/** How many characters may differ between near names. */
export function nearLimit(text: string): number {
  return Math.max(2, Math.floor(text.length / 3));
}

/** The edit distance of two comparable names; Infinity if more than `limit`. */
export function distanceWithin(limit: number, a: string, b: string): number {
  if (Math.abs(a.length - b.length) > limit) return Number.POSITIVE_INFINITY;
  const distance = editDistance(a, b);
  return distance > limit ? Number.POSITIVE_INFINITY : distance;
}

function editDistance(a: string, b: string): number {
  let row = Uint16Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = new Uint16Array(b.length + 1);
    next[0] = i;
    for (let j = 1; j <= b.length; j++) {
      const changed = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      next[j] = Math.min(changed, row[j]! + 1, next[j - 1]! + 1);
    }
    row = next;
  }
  return row[b.length]!;
}
