import { readFileSync } from 'node:fs';
import type { Client, Task } from './client.ts';

const KEY = 'unused-on-loopback';
const READ = 'cat mark.txt';
const GEMINI_SETTINGS = { security: { auth: { selectedType: 'gemini-api-key' } } };

/** Coding agents: each runs once, unattended, and may use its shell. */
export const AGENT_CLIENTS: readonly Client[] = [
  {
    id: 'claude-code',
    name: 'Claude Code',
    api: 'Anthropic messages',
    packages: ['@anthropic-ai/claude-code'],
    main: '@anthropic-ai/claude-code',
    tool: { tool: 'Bash', input: { command: READ, description: 'Reads the file' } },
    replies: 1,
    files: ({ url, model }) => ({
      'claude/settings.json': exampleFile('claude-code/settings.json', url, model),
    }),
    command: ({ installed, home, prompt }) => ({
      args: [
        `${installed}/node_modules/@anthropic-ai/claude-code/cli-wrapper.cjs`,
        ...['-p', prompt, '--allowedTools', 'Bash'],
      ],
      env: {
        CLAUDE_CONFIG_DIR: `${home}/claude`,
        CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
        DISABLE_AUTOUPDATER: '1',
      },
    }),
    setup: `\`\`\`sh
export ANTHROPIC_BASE_URL=URL ANTHROPIC_AUTH_TOKEN=KEY ANTHROPIC_SMALL_FAST_MODEL=auto
claude --model auto
\`\`\``,
  },
  {
    id: 'codex',
    name: 'Codex CLI',
    api: 'OpenAI Responses',
    packages: ['@openai/codex'],
    main: '@openai/codex',
    tool: { tool: 'exec_command', input: { cmd: READ } },
    replies: 1,
    files: ({ url, model }) => ({ 'codex/config.toml': exampleFile('codex/config.toml', url, model) }),
    command: ({ installed, home, prompt }) => ({
      args: [
        `${installed}/node_modules/@openai/codex/bin/codex.js`,
        ...['exec', '--skip-git-repo-check', '--dangerously-bypass-approvals-and-sandbox', prompt],
      ],
      env: { CODEX_HOME: `${home}/codex`, PLIMSOLL_KEY: KEY },
    }),
    setup: `In \`~/.codex/config.toml\`, with the key in \`PLIMSOLL_KEY\`:

\`\`\`toml
${exampleFile('codex/config.toml', 'URL', 'auto').trimEnd()}
\`\`\``,
  },
  {
    id: 'gemini-cli',
    name: 'Gemini CLI',
    api: 'Google',
    packages: ['@google/gemini-cli'],
    main: '@google/gemini-cli',
    tool: { tool: 'run_shell_command', input: { command: READ, description: 'Reads the file' } },
    replies: 1,
    files: () => ({
      '.gemini/settings.json': JSON.stringify({
        ...GEMINI_SETTINGS,
        general: { enableAutoUpdate: false },
        privacy: { usageStatisticsEnabled: false },
        telemetry: { enabled: false },
      }),
    }),
    command: ({ installed, url, prompt }) => ({
      args: [
        `${installed}/node_modules/@google/gemini-cli/bundle/gemini.js`,
        ...['--yolo', '--skip-trust', '--prompt', prompt],
      ],
      env: { GOOGLE_GEMINI_BASE_URL: url, GEMINI_API_KEY: KEY },
    }),
    gateway: { aliases: { 'gemini-*': 'auto' } },
    setup: `It sends names of its own, such as \`gemini-3-pro-preview\`: [\`aliases: { gemini-*: auto }\`](CONFIGURATION.md).

In \`~/.gemini/settings.json\`, as it refuses to start without:

\`\`\`json
${JSON.stringify(GEMINI_SETTINGS, undefined, 2)}
\`\`\`

\`\`\`sh
export GOOGLE_GEMINI_BASE_URL=URL GEMINI_API_KEY=KEY
gemini
\`\`\``,
  },
  opencode('openai', 'OpenAI Responses'),
  opencode('openai-compatible', 'OpenAI chat'),
  opencode('anthropic', 'Anthropic messages'),
  continueCli('openai', 'OpenAI chat'),
  continueCli('anthropic', 'Anthropic messages'),
  {
    id: 'qwen-code',
    name: 'Qwen Code',
    api: 'OpenAI chat',
    packages: ['@qwen-code/qwen-code'],
    main: '@qwen-code/qwen-code',
    tool: { tool: 'run_shell_command', input: { command: READ, is_background: false } },
    replies: 1,
    files: () => ({
      '.qwen/settings.json': JSON.stringify({
        privacy: { usageStatisticsEnabled: false },
        telemetry: { enabled: false },
        general: { enableAutoUpdate: false },
      }),
    }),
    command: ({ installed, url, model, prompt }) => ({
      args: [
        `${installed}/node_modules/@qwen-code/qwen-code/cli-entry.js`,
        ...['--auth-type', 'openai', '--model', model, '--yolo', '--prompt', prompt],
      ],
      env: { OPENAI_BASE_URL: `${url}/v1`, OPENAI_API_KEY: KEY, OPENAI_MODEL: model },
    }),
    setup: `\`\`\`sh
export OPENAI_BASE_URL=URL/v1 OPENAI_API_KEY=KEY OPENAI_MODEL=auto
qwen --auth-type openai
\`\`\``,
  },
  pi('openai-completions', 'OpenAI chat'),
  pi('anthropic-messages', 'Anthropic messages'),
];

/** A configuration of examples/, with another address and model. */
function exampleFile(name: string, url: string, model: string): string {
  return readFileSync(new URL(`../../examples/${name}`, import.meta.url), 'utf8')
    .replaceAll('http://127.0.0.1:8787', url)
    .replaceAll('"auto"', JSON.stringify(model));
}

function opencode(sdk: 'openai' | 'openai-compatible' | 'anthropic', api: Client['api']): Client {
  const config = (url: string, model: string) => ({
    $schema: 'https://opencode.ai/config.json',
    provider: {
      plimsoll: {
        npm: `@ai-sdk/${sdk}`,
        options: { baseURL: `${url}/v1`, apiKey: KEY },
        models: { [model]: { tool_call: true } },
      },
    },
  });
  return {
    id: `opencode-${sdk}`,
    name: `opencode, \`@ai-sdk/${sdk}\``,
    api,
    packages: ['opencode-ai'],
    main: 'opencode-ai',
    tool: { tool: 'bash', input: { command: READ, description: 'Reads the file' } },
    replies: 1,
    files: ({ url, model }) => ({
      '.config/opencode/opencode.json': JSON.stringify({
        ...config(url, model),
        autoupdate: false,
        share: 'disabled',
        permission: 'allow',
      }),
    }),
    command: ({ installed, model, prompt }) => ({
      args: [
        `${installed}/node_modules/opencode-${process.platform}-${process.arch}/bin/opencode`,
        'run',
      ].concat(['--pure', '--model', `plimsoll/${model}`, prompt]),
      env: { OPENCODE_DISABLE_MODELS_FETCH: '1', OPENCODE_DISABLE_AUTOUPDATE: '1' },
    }),
    setup: `In \`opencode.json\`, then \`/models\`, or \`opencode --model plimsoll/auto\`:

\`\`\`json
${JSON.stringify(config('URL', 'auto'), undefined, 2).replaceAll(KEY, 'KEY')}
\`\`\``,
  };
}

function continueCli(provider: 'openai' | 'anthropic', api: Client['api']): Client {
  const config = (url: string, model: string, key: string) => `name: plimsoll
version: 0.0.1
schema: v1
models:
  - name: plimsoll
    provider: ${provider}
    model: ${model}
    apiBase: ${url}/v1
    apiKey: ${key}
    roles: [chat, edit, apply]
    capabilities: [tool_use]
`;
  return {
    id: `continue-${provider}`,
    name: `Continue \`cn\`, provider \`${provider}\``,
    api,
    packages: ['@continuedev/cli'],
    main: '@continuedev/cli',
    tool: { tool: 'Bash', input: { command: READ } },
    replies: 1,
    files: ({ url, model }) => ({ '.continue/config.yaml': config(url, model, KEY) }),
    command: ({ installed, home, prompt }: Task) => ({
      args: [
        `${installed}/node_modules/@continuedev/cli/dist/cn.js`,
        ...['--config', `${home}/.continue/config.yaml`, '--auto', '-p', prompt],
      ],
      env: {
        CONTINUE_CLI_ENABLE_TELEMETRY: '0',
        CONTINUE_METRICS_ENABLED: '0',
        CONTINUE_TELEMETRY_ENABLED: '0',
      },
    }),
    setup: `In \`~/.continue/config.yaml\`:

\`\`\`yaml
${config('URL', 'auto', 'KEY').trimEnd()}
\`\`\``,
  };
}

function pi(protocol: 'openai-completions' | 'anthropic-messages', api: Client['api']): Client {
  const isOpenai = protocol === 'openai-completions';
  const config = (url: string, model: string) => ({
    providers: {
      plimsoll: {
        baseUrl: isOpenai ? `${url}/v1` : url,
        api: protocol,
        apiKey: KEY,
        // Some Claude models take a thinking budget, others only adaptive thinking; pi sends one of the two.
        models: [{ id: model, reasoning: isOpenai }],
      },
    },
  });
  return {
    id: `pi-${isOpenai ? 'openai' : 'anthropic'}`,
    name: `pi, \`${protocol}\``,
    api,
    packages: ['@earendil-works/pi-coding-agent'],
    main: '@earendil-works/pi-coding-agent',
    tool: { tool: 'bash', input: { command: READ } },
    replies: 1,
    files: ({ url, model }) => ({ '.pi/agent/models.json': JSON.stringify(config(url, model)) }),
    command: ({ installed, model, prompt }) => ({
      args: [
        `${installed}/node_modules/@earendil-works/pi-coding-agent/dist/bundle/cli.js`,
        ...['--offline', '--no-session', '--provider', 'plimsoll', '--model', model, '-p', prompt],
      ],
      env: { PI_OFFLINE: '1', PI_TELEMETRY: '0' },
    }),
    setup: `In \`~/.pi/agent/models.json\`, then \`pi --provider plimsoll --model auto\`:

\`\`\`json
${JSON.stringify(config('URL', 'auto'), undefined, 2).replaceAll(KEY, 'KEY')}
\`\`\``,
  };
}
