/** Text that is HTML already. */
export type Html = {readonly html: string};

type Part = Html | string | number | undefined | readonly Html[];

/** A template whose values are escaped unless they are HTML themselves. */
export function fragment(strings: TemplateStringsArray, ...values: readonly Part[]): Html {
  return {html: String.raw({raw: strings}, ...values.map(render))};
}

export const joined = (parts: readonly Html[], separator = ''): Html => ({
  html: parts.map(part => part.html).join(separator),
});

/** For texts that are not parsed as HTML: script and style. */
export const verbatim = (text: string): Html => ({html: text});

function render(part: Part): string {
  if (part === undefined) return '';
  if (typeof part === 'string' || typeof part === 'number') return escape(String(part));
  return 'html' in part ? part.html : joined(part).html;
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

const escape = (text: string) => text.replaceAll(/[&<>"']/g, sign => entities[sign] ?? '');

/** The little of Markdown that comments use: paragraphs, lists, `code`. */
export function prose(text: string | undefined): Html {
  const blocks = (text ?? '').split(/\n{2,}/).filter(block => block.trim() !== '');
  return joined(blocks.map(block => (block.startsWith('- ') ? list(block) : paragraph(block))));
}

const paragraph = (text: string) => fragment`<p>${inline(text)}</p>`;

const list = (block: string) =>
  fragment`<ul>
    ${block
      .slice(2)
      .split(/\n- /)
      .map(item => fragment`<li>${inline(item)}</li>`)}
  </ul>`;

const inline = (text: string): Html =>
  joined(
    text
      .split('`')
      .map((part, index) => (index % 2 === 0 ? fragment`${part}` : fragment`<code>${part}</code>`)),
  );
