/** What a piece of a line looks like. Colours are names of our own palette (log.css), so that each is legible in both modes. */
export type Segment = {readonly text: string; readonly className: string};

const names = ['black', 'red', 'green', 'yellow', 'blue', 'magenta', 'cyan', 'white'] as const;
const cubeMin = 16;
const greyMin = 232;

export type Style = {
  color: string;
  background: string;
  bold: boolean;
  dim: boolean;
  italic: boolean;
  underline: boolean;
  inverse: boolean;
};

const plain = (): Style => ({
  color: '',
  background: '',
  bold: false,
  dim: false,
  italic: false,
  underline: false,
  inverse: false,
});

// Control sequences (CSI), operating system commands (OSC: titles, links), other escapes, and what is left of C0.
const sequence =
  // oxlint-disable-next-line no-control-regex
  /\u001b\[([0-?]*)[ -/]*([@-~])|\u001b\][^\u0007\u001b]*(?:\u0007|\u001b\\)|\u001b[ -/]*[0-Z\\^-~]|[\u0000-\u0008\u000b-\u001f\u007f]/g;

/** A progress bar writes over its line: what was there last is what counts. */
const lastWritten = (line: string): string =>
  line.includes('\r')
    ? (line.split('\r').findLast(text => text.replaceAll(sequence, '').trim() !== '') ?? '')
    : line;

/** What people read and search in: the line without its escapes. */
export const plainText = (line: string): string => lastWritten(line).replaceAll(sequence, '');

/** A line in its colours. Each begins plain: a colour that a line leaves on does not run into the next. */
export function parseAnsi(line: string): readonly Segment[] {
  const text = lastWritten(line);
  const segments: Segment[] = [];
  let style = plain();
  let from = 0;
  const add = (to: number) => {
    if (to > from) segments.push({text: text.slice(from, to), className: classNameOf(style)});
  };
  for (const match of text.matchAll(sequence)) {
    add(match.index);
    from = match.index + match[0].length;
    if (match[2] === 'm' && isPlainCodes.test(match[1] ?? ''))
      style = applyCodes(style, codesOf(match[1] ?? ''));
  }
  add(text.length);
  return segments;
}

/** Others are private to a kind of terminal. */
const isPlainCodes = /^[\d;:]*$/;
const codesOf = (text: string): readonly number[] =>
  text === '' ? [0] : text.split(/[;:]/).map(code => Number(code) || 0);

function applyCodes(before: Style, codes: readonly number[]): Style {
  let style = {...before};
  for (let at = 0; at < codes.length; at += 1) {
    const code = codes[at] ?? 0;
    if (code === 0) style = plain();
    else if (code === 38 || code === 48) {
      const {color, used} = extended(codes, at + 1);
      if (code === 38) style.color = color;
      else style.background = color;
      at += used;
    } else applyCode(style, code);
  }
  return style;
}

function applyCode(style: Style, code: number): void {
  if (code === 1) style.bold = true;
  else if (code === 2) style.dim = true;
  else if (code === 3) style.italic = true;
  else if (code === 4) style.underline = true;
  else if (code === 7) style.inverse = true;
  else if (code === 22) style.bold = style.dim = false;
  else if (code === 23) style.italic = false;
  else if (code === 24) style.underline = false;
  else if (code === 27) style.inverse = false;
  else if (code === 39) style.color = '';
  else if (code === 49) style.background = '';
  else if (code >= 30 && code <= 37) style.color = names[code - 30] ?? '';
  else if (code >= 90 && code <= 97) style.color = names[code - 90] ?? '';
  else if (code >= 40 && code <= 47) style.background = names[code - 40] ?? '';
  else if (code >= 100 && code <= 107) style.background = names[code - 100] ?? '';
}

/** `5;n` of 256 colours and `2;r;g;b`: the nearest name of ours. */
function extended(codes: readonly number[], at: number): {color: string; used: number} {
  const [mode, first = 0, green = 0, blue = 0] = codes.slice(at, at + 4);
  if (mode === 2) return {color: nearestColor(first, green, blue), used: 4};
  return mode === 5 ? {color: paletteColor(first), used: 2} : {color: '', used: 1};
}

/** Of 256 colours; empty is the text's own. */
export function paletteColor(index: number): string {
  if (index < cubeMin) return names[index % 8] ?? '';
  // A grey.
  if (index >= greyMin) return '';
  const cube = index - cubeMin;
  const level = (step: number) => (step === 0 ? 0 : step * 40 + 55);
  return nearestColor(
    level(Math.floor(cube / 36)),
    level(Math.floor(cube / 6) % 6),
    level(cube % 6),
  );
}

export function nearestColor(red: number, green: number, blue: number): string {
  const high = Math.max(red, green, blue);
  // Greys are left to the text's own colour: no shade of them is sure to be legible.
  if (high - Math.min(red, green, blue) < 40) return '';
  const bit = (value: number) => (value > high / 2 ? 1 : 0);
  return names[bit(red) + bit(green) * 2 + bit(blue) * 4] ?? '';
}

export function classNameOf(style: Style): string {
  const {color, background, inverse} = style;
  const ink = inverse ? background : color;
  const paper = inverse ? color || 'text' : background;
  return [
    ink && `ansi-${ink}`,
    // Black is the paper that a console has anyway, whichever it is here.
    paper && paper !== 'black' && `ansi-on-${paper}`,
    style.bold && 'ansi-bold',
    style.dim && 'ansi-dim',
    style.italic && 'ansi-italic',
    style.underline && 'ansi-underline',
  ]
    .filter(Boolean)
    .join(' ');
}
