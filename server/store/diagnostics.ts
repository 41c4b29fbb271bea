/** In the words of the contract, without its prefix. */
export const diagnosticKinds = [
  'syntax',
  'undefined_variable',
  'unknown_option',
  'type',
  'conflict',
  'assertion',
  'infinite_recursion',
  'missing_attribute',
  'thrown',
  'file_access',
  'network_access',
  'import_from_derivation',
  'memory_limit',
  'time_limit',
  'secret',
  'size',
  'build',
  'fetch',
  'other',
  'template',
] as const;
export type DiagnosticKind = (typeof diagnosticKinds)[number];

/** One thing that is wrong with a configuration. */
export type Diagnostic = {
  readonly kind: DiagnosticKind;
  readonly message: string;
  /** Empty for the machine's own module, else "templates/NAME". */
  readonly source: string;
  /** From 1; 0 is unknown. Columns count UTF-16 units. */
  readonly line: number;
  readonly column: number;
};
