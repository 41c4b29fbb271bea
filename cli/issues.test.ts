import test from 'ava';
import {addTenant, startSite} from '../test/helpers/workspace-site.ts';
import {runCommand, withToken} from '../test/helpers/command.ts';

test('issues are muted, counted and shown from the command line, and rules are set', async t => {
  t.timeout(120_000);
  await using site = await startSite();
  const {issueId, serviceTag} = await addTenant(site, {assigned: false});
  const ok = async (...words: readonly string[]) => {
    const answer = await runCommand(words, withToken(site.url, site.local));
    t.is(answer.status, 0, `${words.join(' ')}: ${answer.stderr}`);
    return answer.stdout;
  };
  t.regex(await ok('issues', 'list', '--severity', 'warning', 'critical'), new RegExp(issueId));
  t.regex(await ok('machines', 'get', serviceTag), new RegExp(`${issueId} +warning`));
  const why = ['--for', '8h', '--reason', 'Works on the cooling'];
  t.regex(
    await ok('issues', 'mute', issueId, ...why),
    /^muted +until .* by local \(issue\): Works on the cooling$/m,
  );
  t.notRegex(await ok('issues', 'list', '--no-muted'), new RegExp(issueId));
  t.regex(await ok('issues', 'list', '--muted', '--state', 'open'), /open, muted/);
  t.regex(await ok('issues', 'summary'), /component_missing +warning +0 +0 +1/);
  t.notRegex(await ok('issues', 'unmute', issueId), /^muted/m);

  t.regex(await ok('issues', 'rules'), /temperature +warning +5m +5m +celsius ≥ 90 °C until < 85/);
  const limits = ['--raise-at', '80', '--clear-at', '75', '--raise-after', '90s'];
  const set = await ok('issues', 'set-rule', 'temperature', ...limits, '--severity', 'critical');
  t.regex(set, /^severity +critical$/m);
  t.regex(set, /^raised after +90s$/m);
  t.regex(set, /^limits +celsius ≥ 80 °C until < 75$/m);
  t.regex(await ok('issues', 'set-rule', 'temperature', '--disable'), /^state +off, changed$/m);
  t.regex(await ok('issues', 'mute-rule', 'fan', ...why), /^state +muted$/m);
  t.notRegex(await ok('issues', 'unmute-rule', 'fan'), /muted/);

  const status = async (...words: readonly string[]) =>
    (await runCommand(['issues', ...words], withToken(site.url, site.local))).status;
  t.is(await status('list', '--severity', 'bad'), 2);
  t.is(await status('list', '--state', 'gone'), 2);
  t.is(await status('set-rule', 'temperature', '--raise-after', 'soon'), 2);
  t.is(await status('mute-rule', 'gremlins', ...why), 5);
});
