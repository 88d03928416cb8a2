/** The lines of a file that are not empty, with their numbers in it. */
export async function* linesOf(
  pieces: AsyncIterable<string>,
): AsyncGenerator<{ readonly number: number; readonly text: string }> {
  let number = 0;
  for await (const piece of pieces) {
    const lines = piece.split('\n');
    if (lines.at(-1) === '') lines.pop(); // every piece ends with a line
    for (const text of lines) {
      number++;
      if (text.trim() !== '') yield { number, text };
    }
  }
}
