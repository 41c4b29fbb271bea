const [zero, point] = [0x30, 0x2e];
/** Below it, a number of three decimals has one text that is the shortest, and it is this one. */
const thousandthsMax = 1e15;
/** Whole numbers below 2^31 are divided fast. */
const chunk = 10_000_000;

/**
 * The text of a number as JavaScript has it; gives where it ends. Whole numbers and those of at most three decimals, which nearly all measurements
 * are, digit by digit: a call into the runtime for each of a million numbers costs four times as much.
 */
export function writeNumber(bytes: Buffer, at: number, value: number): number {
  const thousandths = Math.round(value * 1000);
  const isPlain =
    value >= 0 &&
    thousandths < thousandthsMax &&
    thousandths / 1000 === value &&
    !Object.is(value, -0);
  if (!isPlain) {
    if (Number.isSafeInteger(value) && value > 0) return writeWhole(bytes, at, value);
    return at + bytes.write(String(value), at, 'latin1');
  }
  const whole = Math.floor(value);
  const end = writeWhole(bytes, at, whole);
  const rest = thousandths - whole * 1000;
  return rest === 0 ? end : writeDecimals(bytes, end, rest);
}

function writeWhole(bytes: Buffer, at: number, whole: number): number {
  if (whole < chunk) return writeDigits(bytes, at, whole, countDigits(whole));
  const high = Math.floor(whole / chunk);
  const next = writeWhole(bytes, at, high);
  return writeDigits(bytes, next, whole - high * chunk, 7);
}

function writeDigits(bytes: Buffer, at: number, number: number, count: number): number {
  let left = number;
  for (let place = at + count - 1; place >= at; place--) {
    const tenth = (left / 10) | 0;
    bytes[place] = zero + left - tenth * 10;
    left = tenth;
  }
  return at + count;
}

function countDigits(number: number): number {
  let count = 1;
  for (let limit = 10; number >= limit; limit *= 10) count++;
  return count;
}

/** `.5` of 500, `.05` of 50, `.005` of 5. */
function writeDecimals(bytes: Buffer, at: number, thousandths: number): number {
  bytes[at] = point;
  let end = writeDigits(bytes, at + 1, thousandths, 3);
  while (bytes[end - 1] === zero) end--;
  return end;
}
