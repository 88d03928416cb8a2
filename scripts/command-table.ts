import type { Command } from 'commander';

export interface CommandEntry {
  /** After its name in the help. */
  readonly usage: string;
  readonly description: string;
  readonly load: () => Promise<Command>;
}

/** In the order of the help, which loads none of them: Express and the trainer are slow to load, and `route` needs neither. */
export const COMMANDS: Readonly<Record<string, CommandEntry>> = {
  serve: {
    usage: '[options]',
    description: 'Serve decisions over HTTP',
    load: async () => (await import('./commands/serve.ts')).serveCommand(),
  },
  demo: {
    usage: '[options]',
    description:
      'Play an hour of made-up traffic through a real server, and look at its dashboard; needs no key',
    load: async () => (await import('./commands/demo.ts')).demoCommand(),
  },
  doctor: {
    usage: '[options]',
    description:
      'Check what a server needs (configuration, artifact, keys, port, state), and say how to fix it',
    load: async () => (await import('./commands/doctor.ts')).doctorCommand(),
  },
  init: {
    usage: '[options]',
    description: 'Ask a few questions and write the first configuration',
    load: async () => (await import('./commands/init.ts')).initCommand(),
  },
  route: {
    usage: '[options] [text]',
    description: 'Decide on one request, given as an argument or on stdin',
    load: async () => (await import('./commands/route.ts')).routeCommand(),
  },
  assess: {
    usage: '[options]',
    description: 'Cross-validate a router on labelled data: would routing pay here?',
    load: async () => (await import('./commands/assess.ts')).assessCommand(),
  },
  train: {
    usage: '[options]',
    description: 'Train a router on labelled cases, and write it as an artifact',
    load: async () => (await import('./commands/train.ts')).trainCommand(),
  },
  calibrate: {
    usage: '[options]',
    description:
      'Fit the probabilities and the threshold of an artifact to labelled cases, as a new artifact',
    load: async () => (await import('./commands/calibrate.ts')).calibrateCommand(),
  },
  gate: {
    usage: '[options]',
    description:
      'Judge an artifact, or what any router chose, on sealed and hard cases: PASS, FAIL or INCONCLUSIVE',
    load: async () => (await import('./commands/gate.ts')).gateCommand(),
  },
  label: {
    usage: '[options]',
    description: 'Ask every candidate, grade the replies, and write labelled cases, within a budget',
    load: async () => (await import('./commands/label.ts')).labelCommand(),
  },
  audit: {
    usage: '[options]',
    description: 'Record what graded requests that stayed cheap have lost, for the watch',
    load: async () => (await import('./commands/audit.ts')).auditCommand(),
  },
  review: {
    usage: '',
    description: 'Let people label replies on a page or in a table, and compare their labels with a judge’s',
    load: async () => (await import('./commands/review.ts')).reviewCommand(),
  },
  'plan-labels': {
    usage: '[options]',
    description: 'Draw the prompts that are worth a label: those that the policy may keep cheap',
    load: async () => (await import('./commands/plan-labels.ts')).planLabelsCommand(),
  },
  retrain: {
    usage: '[options]',
    description:
      'Train a challenger on new data, gate it, and let it replace the champion only if it is no worse',
    load: async () => (await import('./commands/retrain.ts')).retrainCommand(),
  },
  worker: {
    usage: '[options]',
    description:
      'Make calls of labelling runs that share their work through Redis, beside any number of others',
    load: async () => (await import('./commands/worker.ts')).workerCommand(),
  },
  loop: {
    usage: '[options]',
    description: 'Label what is new, retrain, gate, compare, and promote or keep: one round, safe to kill',
    load: async () => (await import('./commands/loop.ts')).loopCommand(),
  },
  rules: {
    usage: '[options] [command]',
    description: 'Say which rules of the configuration fire for cases, or let them alone decide',
    load: async () => (await import('./commands/rules.ts')).rulesCommand(),
  },
  inspect: {
    usage: '[options] <artifact>',
    description: 'Check an artifact (hashes, weights, golden cases) and say what it is',
    load: async () => (await import('./commands/inspect.ts')).inspectCommand(),
  },
  tasks: {
    usage: '',
    description: 'Train and test the classifier that tells which task a request is',
    load: async () => (await import('./commands/tasks.ts')).tasksCommand(),
  },
  artifacts: {
    usage: '[options]',
    description: 'List the artifacts of a store, their verdicts, and which of them serves',
    load: async () => (await import('./commands/artifacts.ts')).artifactsCommand(),
  },
  profiles: {
    usage: '[options]',
    description: 'List the profiles with all that they inherit, and what each one’s verdict is worth',
    load: async () => (await import('./commands/profiles.ts')).profilesCommand(),
  },
  plan: {
    usage: '[options]',
    description: 'Say what a changed configuration would have done with recorded requests',
    load: async () => (await import('./commands/plan.ts')).planCommand(),
  },
  design: {
    usage: '[options]',
    description:
      'Propose a ladder for a mix of requests: what it would save and lose, and how many labels prove it',
    load: async () => (await import('./commands/design.ts')).designCommand(),
  },
  promote: {
    usage: '[options]',
    description: 'Make an artifact with a valid PASS the one that its store serves',
    load: async () => (await import('./commands/promote.ts')).promoteCommand(),
  },
  rollback: {
    usage: '[options]',
    description: 'Make the artifact that served before the current one serve again',
    load: async () => (await import('./commands/rollback.ts')).rollbackCommand(),
  },
  sign: {
    usage: '[options]',
    description: 'Sign the verdict of an artifact, check a signature, or make the keys for it',
    load: async () => (await import('./commands/sign.ts')).signCommand(),
  },
  keys: {
    usage: '',
    description: 'Make, list and revoke the API keys of the server',
    load: async () => (await import('./commands/keys.ts')).keysCommand(),
  },
  experiment: {
    usage: '',
    description: 'Start, stop and look at experiments on live traffic; a running server follows',
    load: async () => (await import('./commands/experiment.ts')).experimentCommand(),
  },
  dashboard: {
    usage: '',
    description: 'Print a link that signs in to the dashboard of a running server',
    load: async () => (await import('./commands/dashboard.ts')).dashboardCommand(),
  },
  budget: {
    usage: '[options]',
    description: 'Say what of each limit is settled, reserved and left now',
    load: async () => (await import('./commands/budget.ts')).budgetCommand(),
  },
  state: {
    usage: '',
    description: 'Migrate, show, export, prune and erase what the server stores',
    load: async () => (await import('./commands/state.ts')).stateCommand(),
  },
  prices: {
    usage: '',
    description: 'Say which prices were read too long ago',
    load: async () => (await import('./commands/prices.ts')).pricesCommand(),
  },
  import: {
    usage: '[options] <format> <input...>',
    description: 'Convert labelled data to cases: public repositories’ raw files, tables or JSON',
    load: async () => (await import('./commands/import.ts')).importCommand(),
  },
  completion: {
    usage: '[options] <shell>',
    description: 'Print what completes commands and options in bash, zsh or fish',
    load: async () => (await import('./commands/completion.ts')).completionCommand(allCommands),
  },
};

/** All of them with their options, which loads all of their code. */
export function allCommands(): Promise<readonly Command[]> {
  return Promise.all(
    Object.values(COMMANDS).map(async ({ description, load }) => (await load()).description(description)),
  );
}
