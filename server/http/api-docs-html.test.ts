import test from 'ava';
import {fragment, joined, prose, verbatim} from './api-docs-html.ts';

test('values are escaped, fragments are not', t => {
  const evil = `<b a="1" b='2'>&`;
  t.is(
    fragment`<p title="${evil}">${7}${undefined}</p>`.html,
    '<p title="&lt;b a=&quot;1&quot; b=&#39;2&#39;&gt;&amp;">7</p>',
  );
  t.is(fragment`${[fragment`<i>${'<'}</i>`, verbatim('<hr>')]}`.html, '<i>&lt;</i><hr>');
  t.is(joined([fragment`a`, fragment`b`], ', ').html, 'a, b');
});

test('comments become paragraphs, lists and code', t => {
  const text = 'Exit with `<1>`.\n\n- `a`: one\n- two\n\nLast\nline';
  const html = prose(text).html.replaceAll(/\s+(?=<)|(?<=>)\s+/g, '');
  t.is(
    html,
    '<p>Exit with<code>&lt;1&gt;</code>.</p><ul><li><code>a</code>: one</li><li>two</li></ul><p>Last\nline</p>',
  );
  t.is(prose(undefined).html, '');
});
