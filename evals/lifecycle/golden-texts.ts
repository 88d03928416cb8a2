/** Written for this purpose, so that no artifact carries a line of anybody's traffic. Together they use every feature. */
export const GOLDEN_TEXTS: readonly string[] = [
  'Translate "good morning" into French.',
  'Prove that there are infinitely many primes p with p ≡ 3 (mod 4).',
  'Extract the invoice number, the date and the total from this text:\nInvoice 2024-118, 3 May 2024, total EUR 1,240.50',
  'Why does this loop never end?\n```js\nfor (let i = 10; i >= 0; i++) { console.log(i); }\n```',
  'Which of these is a noble gas?\nA. Oxygen\nB. Argon\nC. Nitrogen\nD. Chlorine\nAnswer:',
  'Schreibe eine höfliche Absage auf eine Einladung zum Abendessen.',
  'A train leaves at 9:40 and covers 210 km at 84 km/h. When does it arrive?',
  '请用三句话总结一下什么是机器学习。',
];
