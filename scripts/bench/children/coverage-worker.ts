import { PlimsollError } from '../../../router/errors.ts';
import { scoreSet } from '../guarantee/population.ts';
import { runSetting } from '../guarantee/run-setting.ts';
import type { Job, JobResult } from '../guarantee/runner.ts';

/** The program of a worker process: one job, one result, until it is stopped. */
process.on('message', async (job: Job) => {
  process.send!(await runJob(job));
});

async function runJob(job: Job): Promise<JobResult> {
  try {
    return { kind: 'done', value: await execute(job) };
  } catch (error) {
    if (error instanceof PlimsollError) return { kind: 'failed', code: error.code, message: error.message };
    return { kind: 'failed', code: 'internal', message: `A worker failed: ${(error as Error).stack}` };
  }
}

function execute(job: Job) {
  return job.kind === 'score' ? scoreSet(job.set) : runSetting(job.population, job.setting, job.repeats);
}
