/** What is wrong with a text, and where: from 1; 0 is unknown. */
export type Finding = {
  readonly line: number;
  readonly column: number;
  readonly message: string;
  /** Another text that it is in; empty: this one. */
  readonly source?: string;
};

export type EditorProps = {
  readonly label: string;
  readonly value: string;
  /** Without it the text can only be read. */
  readonly onChange?: (value: string) => void;
  readonly findings?: readonly Finding[];
  /** Shows what is different from this text. */
  readonly original?: string | undefined;
};
