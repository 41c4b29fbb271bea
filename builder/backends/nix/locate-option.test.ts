import test from 'ava';
import fc from 'fast-check';
import {findDefinition} from './locate-option.ts';

const module = `# services.demo.port = in a comment
{config, lib, pkgs, ...}: let
  port = 1;
  text = "services.demo.port = \${toString {a = 1;}.a}";
in {
  networking.hostName = "x";
  services.demo = with lib; {
    enable = true;
    names = map (n: {name = n;}) ["a"];
    port = mkForce 80;
  };
  environment.etc."a.b".text = ''
    services.fake = { port = 1; };
    ''\${not} '''quoted''' \${lib.concatStrings ["}" "'"]}
  '';
  config = lib.mkIf true {
    users.users.root = { shell = pkgs.zsh; };
  };
  systemd.services.x.serviceConfig.A == 1;
}
`;

const cases: Readonly<Record<string, [line: number, column: number] | undefined>> = {
  'networking.hostName': [6, 3],
  'services.demo.enable': [8, 5],
  'services.demo.names': [9, 5],
  'services.demo.port': [10, 5],
  // The nearest thing that is written.
  'services.demo.other': [7, 3],
  'environment.etc."a.b".text': [12, 3],
  'users.users.root.shell': [17, 26],
  'services.fake.port': undefined,
  'systemd.services.x.serviceConfig.A': undefined,
  'boot.kernelParams': undefined,
};

for (const [option, at] of Object.entries(cases))
  test(`${option} is ${at ? `at ${at.join(':')}` : 'not found'}`, t => {
    const found = findDefinition(module, option);
    t.deepEqual(found && [found.line, found.column], at);
  });

test('a column counts UTF-16 units', t => {
  t.deepEqual(findDefinition('{ a = "ä😀"; b.c = 1; }', 'b.c'), {line: 1, column: 14});
});

test('whatever the text, it ends', t => {
  const piece = fc.constantFrom(
    '{',
    '}',
    '"',
    "''",
    '${',
    '=',
    ';',
    '.',
    'a',
    'let',
    'in',
    '\\',
    '/*',
  );
  fc.assert(
    fc.property(fc.array(piece, {maxLength: 40}), pieces => {
      findDefinition(pieces.join(' '), 'a.b');
      findDefinition(pieces.join(''), 'a.b');
    }),
  );
  t.pass();
});
