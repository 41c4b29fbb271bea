import {readFileSync} from 'node:fs';
import test from 'ava';
import type {Command} from 'commander';
import {createProgram} from './program.ts';

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');

/** Every `npx muster …` of the README's blocks, split as a shell does; remarks and substitutions are taken out. */
const commandLines = [...readme.matchAll(/^npx muster (.+)$/gm)].map(([, line = '']) => {
  const plain = line.replace(/ +#.*$/, '').replace(/"\$\([^)]*\)"/g, 'substitution');
  return plain.split(' ').filter(word => word !== '');
});

/** The command that the words name, with what is left for it. */
function find(program: Command, words: readonly string[]): readonly [Command, readonly string[]] {
  const [word, ...rest] = words;
  const inner = program.commands.find(
    command => command.name() === word || command.aliases().includes(word ?? ''),
  );
  return inner ? find(inner, rest) : [program, words];
}

test('the README prints commands', t => t.true(commandLines.length >= 5));

for (const words of commandLines)
  test(`npx muster ${words.join(' ')} is a command line that muster takes`, t => {
    const [command, rest] = find(createProgram('0'), words);
    t.deepEqual(command.commands, [], 'it names a group of commands, none of them');
    // No action runs: commander only sorts options and operands, and refuses what it does not know.
    const {operands, unknown} = command.parseOptions([...rest]);
    t.deepEqual(unknown, []);
    const wanted = command.registeredArguments.filter(({required}) => required).length;
    t.true(operands.length >= wanted && operands.length <= command.registeredArguments.length);
  });
