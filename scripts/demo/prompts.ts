type Random = () => number;

const whole = (random: Random, from: number, to: number) => from + Math.floor(random() * (to - from + 1));
const oneOf = <T>(random: Random, of: readonly T[]): T => of[Math.floor(random() * of.length)]!;

const CITIES = ['Lisbon', 'Oslo', 'Kyoto', 'Lima', 'Nairobi', 'Prague', 'Hanoi', 'Quito', 'Tunis', 'Riga'];
const WORDS = ['harbour', 'invoice', 'umbrella', 'weather', 'bridge', 'holiday', 'receipt', 'kitchen'];

type Make = (random: Random) => string;

/** Short requests that a small model can take, in seven languages. */
const EASY: readonly Make[] = [
  (random) => `What is the time zone of ${oneOf(random, CITIES)}?`,
  (random) => `Translate "${oneOf(random, WORDS)}" into Italian.`,
  (random) => `Write a friendly two-line reply: order ${whole(random, 1_000, 9_999)} will be a day late.`,
  (random) => `Name ${whole(random, 3, 5)} sights of ${oneOf(random, CITIES)}.`,
  (random) => `Wie heißt die Währung in ${oneOf(random, CITIES)}?`,
  (random) => `Quel temps fait-il en général en mai à ${oneOf(random, CITIES)} ?`,
  (random) => `¿Cómo se dice "${oneOf(random, WORDS)}" en español?`,
  (random) => `Traduza "${oneOf(random, WORDS)}" para português.`,
  (random) => `${oneOf(random, CITIES)}の挨拶を一つ教えてください。`,
  (random) => `Scrivi un saluto per un cliente di ${oneOf(random, CITIES)}.`,
];

/** Requests of several steps, which are worth a large model. */
const HARD: readonly Make[] = [
  (random) =>
    `A tank holds ${whole(random, 200, 900)} litres. One pipe fills it in ${whole(random, 3, 9)} hours, another in ${whole(random, 10, 19)}, and a leak empties it in ${whole(random, 20, 40)}. How long does it take with all three open? Show each step.`,
  (random) =>
    `Find the race condition in a lock-free queue with ${whole(random, 2, 16)} producers that drops one message in a million, and prove that the fix is linearizable.`,
  (random) =>
    `Prove that every graph with ${whole(random, 6, 40)} vertices and minimum degree at least half of that number has a Hamiltonian cycle.`,
  (random) =>
    `Derive the partition function of a one-dimensional Ising chain of ${whole(random, 8, 64)} spins with periodic boundary, and its specific heat.`,
  (random) =>
    `Beweise, dass die Summe der ersten ${whole(random, 10, 90)} ungeraden Zahlen eine Quadratzahl ist, und verallgemeinere den Satz auf arithmetische Folgen.`,
  (random) =>
    `Explique étape par étape comment migrer une base de ${whole(random, 2, 40)} To sans interruption, avec le plan de retour arrière et chaque invariant à vérifier.`,
];

/** A made-up prompt: the same for the same draws. */
export function easyPrompt(random: Random): string {
  return oneOf(random, EASY)(random);
}

export function hardPrompt(random: Random): string {
  return oneOf(random, HARD)(random);
}
