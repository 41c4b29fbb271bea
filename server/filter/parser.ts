import {type Operand, scan, type Scanner} from './scanner.ts';
import {
  type Filter,
  filterDepthMax,
  FilterError,
  filterLengthMax,
  filterTermsMax,
  type Operator,
} from './syntax.ts';

const fieldName = /^[a-z][a-z0-9_]{0,63}$/;

type Reading = {readonly scanner: Scanner; terms: number; depth: number};

/**
 * AIP-160: `state = READY AND (hardware.memory_bytes > 64G OR -labels:gpu) web*`. As there, OR binds more tightly than AND, and terms side by side
 * are joined by AND. Undefined when it is empty; throws nothing but FilterError; time grows with the length.
 */
export function parseFilter(text: string): Filter | undefined {
  if (text.length > filterLengthMax)
    throw new FilterError(
      `it has ${text.length} characters where ${filterLengthMax} are allowed`,
      filterLengthMax,
    );
  if (text.includes('\0') || !text.isWellFormed())
    throw new FilterError('it holds a zero byte or half of a surrogate pair: text only', 0);
  const reading: Reading = {scanner: scan(text), terms: 0, depth: 0};
  if (reading.scanner.atEnd()) return undefined;
  const filter = readExpression(reading);
  if (!reading.scanner.atEnd())
    reading.scanner.fail(`"${reading.scanner.peek()}" does not belong here`);
  return filter;
}

function readExpression(reading: Reading): Filter {
  const {scanner} = reading;
  const parts = [readFactor(reading)];
  for (;;) {
    if (scanner.takeWord('AND')) parts.push(readFactor(reading));
    else if (scanner.atEnd() || scanner.peek() === ')') return join('and', parts);
    else parts.push(readFactor(reading));
  }
}

function readFactor(reading: Reading): Filter {
  const parts = [readTerm(reading)];
  while (reading.scanner.takeWord('OR')) parts.push(readTerm(reading));
  return join('or', parts);
}

function readTerm(reading: Reading): Filter {
  const {scanner} = reading;
  if (scanner.takeWord('NOT') || scanner.take('-')) return {kind: 'not', part: readSimple(reading)};
  return readSimple(reading);
}

function readSimple(reading: Reading): Filter {
  const {scanner} = reading;
  if (scanner.take('(')) return readInside(reading, scanner.position - 1);
  const operand = scanner.readOperand('a field or a word');
  countTerm(reading, operand.offset);
  const operator = scanner.takeOperator();
  if (!operator) {
    if (scanner.peek() === '(' && !operand.quoted && scanner.position === endOf(operand))
      throw new FilterError('functions are not known', operand.offset);
    return {kind: 'text', value: operand.value, offset: operand.offset};
  }
  const path = pathOf(operand);
  if (scanner.take('(')) {
    const inside = readInside(reading, scanner.position - 1);
    return distribute(inside, {path, operator, offset: operand.offset});
  }
  const {value} = scanner.readOperand('a value');
  return {kind: 'compare', path, operator, value, offset: operand.offset};
}

const endOf = ({offset, segments}: Operand) => offset + segments.join('.').length;

/** After its opening bracket, which stood at `start`. */
function readInside(reading: Reading, start: number): Filter {
  const {scanner} = reading;
  reading.depth += 1;
  if (reading.depth > filterDepthMax)
    throw new FilterError(`it nests brackets more than ${filterDepthMax} deep`, start);
  const filter = readExpression(reading);
  if (!scanner.take(')')) throw new FilterError('this bracket is never closed', start);
  reading.depth -= 1;
  return filter;
}

/** `state = (READY OR ACTIVE)` */
function distribute(
  inside: Filter,
  of: {readonly path: readonly string[]; readonly operator: Operator; readonly offset: number},
): Filter {
  if (inside.kind === 'text') return {kind: 'compare', ...of, value: inside.value};
  if (inside.kind === 'not') return {kind: 'not', part: distribute(inside.part, of)};
  if (inside.kind !== 'compare')
    return {kind: inside.kind, parts: inside.parts.map(part => distribute(part, of))};
  throw new FilterError(
    'brackets after a comparison hold values only, for example (READY OR ACTIVE)',
    inside.offset,
  );
}

function pathOf({segments, quoted, value, offset}: Operand): readonly string[] {
  const [first = '', ...rest] = segments;
  if (!fieldName.test(first) || rest.includes(''))
    throw new FilterError(
      quoted || first === ''
        ? `a field stands before a comparison, not the value "${value.join('*').slice(0, 64)}"`
        : `"${segments.join('.').slice(0, 64)}" is no name of a field`,
      offset,
    );
  return segments;
}

function join(kind: 'and' | 'or', parts: readonly Filter[]): Filter {
  const flat = parts.flatMap(part => (part.kind === kind ? part.parts : [part]));
  const [only] = flat;
  return flat.length === 1 && only ? only : {kind, parts: flat};
}

function countTerm(reading: Reading, offset: number): void {
  reading.terms += 1;
  if (reading.terms > filterTermsMax)
    throw new FilterError(`it has more than ${filterTermsMax} conditions`, offset);
}
