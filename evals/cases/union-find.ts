/**
 * Sets of items 0 to n-1 that are joined two by two. `find` names an item's set by one of its members.
 * Near-constant time a call (path halving, union by size).
 */
export class UnionFind {
  readonly #parent: Int32Array;
  readonly #size: Int32Array;

  constructor(n: number) {
    this.#parent = Int32Array.from({ length: n }, (_, item) => item);
    this.#size = new Int32Array(n).fill(1);
  }

  find(item: number): number {
    let at = item;
    while (this.#parent[at] !== at) {
      this.#parent[at] = this.#parent[this.#parent[at]];
      at = this.#parent[at];
    }
    return at;
  }

  join(one: number, other: number): void {
    const a = this.find(one);
    const b = this.find(other);
    if (a === b) return;
    const [large, small] = this.#size[a] < this.#size[b] ? [b, a] : [a, b];
    this.#parent[small] = large;
    this.#size[large] += this.#size[small];
  }
}
