import {Diagnostic_Kind as Kind} from '@muster/proto/gen/muster/v1/builds_pb.ts';
import test from 'ava';
import {diagnose} from './diagnose.ts';
import type {NixMessage} from './internal-json.ts';

const operator = `{config, lib, ...}: {
  networking.hostName = config.networking.hostName + "x";
  services.agent.heartbeatSeconds = "ten";
  imports = [{services.agent.heartbeatSeconds = 5;}];
}
`;
const web = '{port, ...}: {...}: {\n  services.demo.port = port;\n}\n';
const sources = new Map([
  ['operator.nix', operator],
  ['templates/web.nix', web],
]);
const store = '/nix/store/00000000000000000000000000000000-source';
const nixpkgs = '/nix/store/11111111111111111111111111111111-source';
const explain = (message: Partial<NixMessage>) =>
  diagnose(
    {
      action: 'message',
      level: 0,
      text: '',
      full: message.text ?? '',
      file: '',
      line: 0,
      column: 0,
      ...message,
    },
    {sources, foreign: [nixpkgs]},
  );

type Case = {
  readonly text: string;
  readonly kind: Kind;
  readonly message: RegExp;
  readonly at?: string;
};

/** What the module system of several releases says. */
const sentences: Readonly<Record<string, Case>> = {
  'an unknown option, 20.09': {
    text: `The option \`services.agnet' defined in \`${store}/operator.nix' does not exist.`,
    kind: Kind.UNKNOWN_OPTION,
    message: /^The option "services\.agnet" does not exist: check its spelling$/,
    at: ':0:0',
  },
  'an unknown option, 25.05': {
    text: `The option \`services.agent.heartbeat' does not exist. Definition values:\n- In \`${store}/operator.nix': 5\n\nDid you mean \`services.agent.heartbeatSeconds'?`,
    kind: Kind.UNKNOWN_OPTION,
    message: /In your module: 5; Did you mean/,
    at: ':0:0',
  },
  'a wrong type, 20.09': {
    text: `The option value \`services.agent.heartbeatSeconds' in \`${store}/operator.nix' is not of type \`integer between 5 and 3600 (both inclusive)'.`,
    kind: Kind.TYPE,
    message: /takes a value of type "integer between 5 and 3600 \(both inclusive\)"$/,
    at: ':3:3',
  },
  'two values, 20.09': {
    text: `The option \`networking.hostName' has conflicting definitions, in \`${store}/operator.nix' and \`templates/web'.`,
    kind: Kind.CONFLICT,
    message: /two different values/,
    at: ':2:3',
  },
  'a unique option, twice': {
    text: `The option \`networking.hostName' is defined multiple times while it's expected to be unique.\nDefinition values:\n- In \`${store}/operator.nix': "a"\n- In \`templates/web': "b"`,
    kind: Kind.CONFLICT,
    message: /In your module: "a"; In "templates\/web": "b"$/,
    at: ':2:3',
  },
  'an option without a value': {
    text: "The option `services.agent.url' is used but not defined.",
    kind: Kind.MISSING_ATTRIBUTE,
    message: /has no value: set it/,
  },
  'several assertions': {
    text: '\nFailed assertions:\n- one\n- two',
    kind: Kind.ASSERTION,
    message: /^one\n- two$/,
  },
  'a package that is not free': {
    text: 'Package ‘x-1.0’ has an unfree license (‘unfree’), refusing to evaluate.',
    kind: Kind.THROWN,
    message: /unfree license/,
  },
  'a channel path': {
    text: "cannot look up '<nixpkgs>' in pure evaluation mode (use '--impure' to override)",
    kind: Kind.FILE_ACCESS,
    message: /"<nixpkgs>" cannot be used/,
  },
  'a fetch without a hash': {
    text: "in pure evaluation mode, 'fetchTree' requires a locked input",
    kind: Kind.NETWORK_ACCESS,
    message: /cannot fetch anything/,
  },
  'what nobody has seen before': {
    text: `something in ${nixpkgs}/lib/modules.nix`,
    kind: Kind.THROWN,
    message: /^something in lib\/modules\.nix$/,
  },
};

for (const [name, {text, kind, message, at}] of Object.entries(sentences))
  test(name, t => {
    const found = explain({text});
    t.is(found.kind, kind);
    t.regex(found.message ?? '', message);
    if (at) t.is(`${found.source ?? ''}:${found.line ?? 0}:${found.column ?? 0}`, at);
  });

const recursion = 'infinite recursion encountered';
const throughOptions = (options: readonly string[]): string =>
  options.map(option => `… while evaluating the option \`${option}':`).join('\n');

test('without a line the options of the trace lead to the place, the innermost first', t => {
  const until214 = `${recursion}\n${throughOptions(['networking.hostName', 'services.demo.port', 'system.build'])}`;
  const since215 = `\n${throughOptions(['system.build', 'services.demo.port', 'networking.hostName'])}\nerror: ${recursion}`;
  for (const full of [until214, since215])
    t.like(explain({text: recursion, full}), {line: 2, source: ''});
  const inTemplate = `${recursion}\n${throughOptions(['services.demo.port', 'networking.hostName'])}`;
  t.like(explain({text: recursion, full: inTemplate}), {line: 2, source: 'templates/web'});
});

test('files of nixpkgs are not taken for the files of the job', t => {
  const full = `${recursion}\nat ${nixpkgs}/templates/web.nix:2:1:\nat ${store}/operator.nix:4:3:`;
  t.like(explain({text: recursion, full}), {line: 4, column: 3, source: ''});
  const file = `${nixpkgs}/operator.nix`;
  t.is(explain({text: recursion, file, line: 1, column: 1}).line, undefined);
});
