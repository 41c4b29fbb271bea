// xterm.js without its renderer. That one makes <style> elements and, for what is selected and for true colours, style attributes by setAttribute:
// the content security policy refuses both, and its option documentOverride does not reach all of them. Here the rows are elements of the page with
// the classes of ansi.ts, as in the list of lines: no style of its own at all, colours that are legible in both modes, text that can be selected and
// read aloud. LazyTerminal.tsx loads it.
import {
  type IBufferCell,
  type IBufferLine,
  Terminal,
} from '@xterm/headless/lib-headless/xterm-headless.mjs';
import {classNameOf, nearestColor, paletteColor, type Segment} from './ansi.ts';

/** What firmware, boot loaders and getty take a serial console for. */
export const screenColumns = 80;
export const screenRows = 25;
/** What has left the screen at its top. */
const scrollbackRowsMax = 5_000;
/** So much is taken in before others have their turn. */
const writeCharactersMax = 65_536;
const reset = '\u001bc';

/** A part of a row that looks alike. `columns`: it has a box so wide, because a font may have its letters in another width. */
export type Piece = Segment & {readonly columns: number | undefined};

export type Screen = ReturnType<typeof createScreen>;

/** What stands on the screen of a serial console after all that was written to it. Nobody types here: what it would answer goes nowhere. */
export function createScreen() {
  const terminal = new Terminal({
    cols: screenColumns,
    rows: screenRows,
    scrollback: scrollbackRowsMax,
    // Firmware writes bare line feeds, too.
    convertEol: true,
    allowProposedApi: true,
  });
  const readers = new Set<() => void>();
  const isCursorShown = watchCursor(terminal);
  const cell = terminal.buffer.active.getNullCell();
  let version = 0;
  const tell = () => {
    version += 1;
    for (const reader of readers) reader();
  };

  return {
    write(text: string): void {
      for (let from = 0; from < text.length; from += writeCharactersMax)
        terminal.write(text.slice(from, from + writeCharactersMax));
      terminal.write('', tell);
    },

    /** In its turn: after what was written before. */
    clear: (): void => terminal.write(reset),

    /** Tells when what was written is there. */
    subscribe(reader: () => void): () => void {
      readers.add(reader);
      return () => readers.delete(reader);
    },
    version: (): number => version,

    /** With what has left it. */
    rowCount: (): number => terminal.buffer.active.length,
    firstRowOfScreen: (): number => terminal.buffer.active.baseY,

    row(index: number): readonly Piece[] {
      const {baseY, cursorX, cursorY} = terminal.buffer.active;
      const line = terminal.buffer.active.getLine(index);
      const isCursorHere = isCursorShown() && index === baseY + cursorY;
      return line ? piecesOf(line, cell, isCursorHere ? cursorX : undefined) : [];
    },

    [Symbol.dispose]: (): void => terminal.dispose(),
  };
}

/** DECTCEM; a reset shows it again. */
function watchCursor({parser}: Terminal): () => boolean {
  let isShown = true;
  const set = (value: boolean) => {
    isShown = value;
    // xterm.js does what else there is to do.
    return false;
  };
  const isCursor = (numbers: readonly (number | readonly number[])[]) => numbers.includes(25);
  parser.registerCsiHandler({prefix: '?', final: 'h'}, list => isCursor(list) && set(true));
  parser.registerCsiHandler({prefix: '?', final: 'l'}, list => isCursor(list) && set(false));
  parser.registerCsiHandler({intermediates: '!', final: 'p'}, () => set(true));
  parser.registerEscHandler({final: 'c'}, () => set(true));
  return () => isShown;
}

function piecesOf(
  line: IBufferLine,
  cell: IBufferCell,
  cursorX: number | undefined,
): readonly Piece[] {
  const pieces: {text: string; className: string; columns: number | undefined}[] = [];
  for (let x = 0; x < line.length; x += 1) {
    const at = line.getCell(x, cell);
    const width = at?.getWidth() ?? 0;
    // The second half of a wide one.
    if (!at || width === 0) continue;
    const text = (at.isInvisible() ? '' : at.getChars()) || ' ';
    const columns = isPlain.test(text) ? undefined : width;
    const className = [lookOf(at), x === cursorX && 'term-cursor'].filter(Boolean).join(' ');
    const last = pieces.at(-1);
    if (last?.className !== className || (last.columns === undefined) !== (columns === undefined))
      pieces.push({text, className, columns});
    else {
      last.text += text;
      if (last.columns !== undefined) last.columns += width;
    }
  }
  const last = pieces.at(-1);
  if (last?.className === '' && last.columns === undefined) last.text = last.text.trimEnd();
  return pieces;
}

const isPlain = /^[ -~]$/;

const lookOf = (cell: IBufferCell): string =>
  cell.isAttributeDefault()
    ? ''
    : classNameOf({
        color: cell.isFgRGB()
          ? rgbColor(cell.getFgColor())
          : cell.isFgPalette()
            ? paletteColor(cell.getFgColor())
            : '',
        background: cell.isBgRGB()
          ? rgbColor(cell.getBgColor())
          : cell.isBgPalette()
            ? paletteColor(cell.getBgColor())
            : '',
        bold: cell.isBold() !== 0,
        dim: cell.isDim() !== 0,
        italic: cell.isItalic() !== 0,
        underline: cell.isUnderline() !== 0,
        inverse: cell.isInverse() !== 0,
      });

const rgbColor = (rgb: number): string => nearestColor(rgb >> 16, (rgb >> 8) & 255, rgb & 255);
