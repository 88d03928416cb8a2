interface Numbers {
  readonly length: number;
}

type NumbersType<T extends Numbers> = {
  new (buffer: ArrayBuffer, byteOffset: number, length: number): T;
  readonly BYTES_PER_ELEMENT: number;
};

const SLAB_BYTES = 16 * 1024;

/**
 * Makes typed arrays of zeros that are views on a piece of memory which they share, each on a part of its own: V8 asks the system for the memory of
 * every array above 64 bytes, which takes longer than what a decision does with it. A piece is freed when its last array is.
 * @param Type Int32Array, Float32Array or the like
 */
export function smallArrays<T extends Numbers>(Type: NumbersType<T>): (length: number) => T {
  let memory = new ArrayBuffer(SLAB_BYTES);
  let used = 0;
  return (length) => {
    const bytes = length * Type.BYTES_PER_ELEMENT;
    if (bytes > SLAB_BYTES) return new Type(new ArrayBuffer(bytes), 0, length);
    if (used + bytes > SLAB_BYTES) {
      memory = new ArrayBuffer(SLAB_BYTES);
      used = 0;
    }
    const array = new Type(memory, used, length);
    used += bytes;
    return array;
  };
}
