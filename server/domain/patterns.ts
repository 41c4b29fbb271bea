import {RE2JS} from 're2js';

/** Matching takes time in proportion to this number times the length of the text, whatever the pattern. */
const instructionsMax = 1500;

export type Pattern = {
  /** The whole text, from its first to its last character. */
  matches(text: string): boolean;
};

/** RE2 syntax: no look-around and no back-references, and therefore no text that it could be stuck on. Throws an Error that says what is wrong. */
export function compilePattern(text: string): Pattern {
  const compiled = RE2JS.compile(text);
  const instructions = compiled.programSize();
  if (instructions > instructionsMax)
    throw new Error(
      `it is too large, with ${instructions} steps where ${instructionsMax} are allowed: use smaller repetitions`,
    );
  return {matches: candidate => compiled.matches(candidate)};
}
