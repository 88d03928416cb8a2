import { createRouter, type Decision, loadConfig, PlimsollError } from 'plimsoll';

const router = await createRouter(loadConfig());
try {
  const decision: Decision = await router.route({ prompt: 'What is the capital of France?' });
  console.log(decision.candidate, decision.model);
} catch (error) {
  if (error instanceof PlimsollError) console.error(error.code, error.place);
  throw error;
} finally {
  await router.close();
}
