import {create} from '@bufbuild/protobuf';
import {
  type Diagnostic as DiagnosticMessage,
  Diagnostic_Kind,
  DiagnosticSchema,
} from '@muster/proto/gen/muster/v1/builds_pb.ts';
import {type Diagnostic, type DiagnosticKind, diagnosticKinds} from '../store/diagnostics.ts';

const kinds: Readonly<Record<DiagnosticKind, Diagnostic_Kind>> = {
  syntax: Diagnostic_Kind.SYNTAX,
  undefined_variable: Diagnostic_Kind.UNDEFINED_VARIABLE,
  unknown_option: Diagnostic_Kind.UNKNOWN_OPTION,
  type: Diagnostic_Kind.TYPE,
  conflict: Diagnostic_Kind.CONFLICT,
  assertion: Diagnostic_Kind.ASSERTION,
  infinite_recursion: Diagnostic_Kind.INFINITE_RECURSION,
  missing_attribute: Diagnostic_Kind.MISSING_ATTRIBUTE,
  thrown: Diagnostic_Kind.THROWN,
  file_access: Diagnostic_Kind.FILE_ACCESS,
  network_access: Diagnostic_Kind.NETWORK_ACCESS,
  import_from_derivation: Diagnostic_Kind.IMPORT_FROM_DERIVATION,
  memory_limit: Diagnostic_Kind.MEMORY_LIMIT,
  time_limit: Diagnostic_Kind.TIME_LIMIT,
  secret: Diagnostic_Kind.SECRET,
  size: Diagnostic_Kind.SIZE,
  build: Diagnostic_Kind.BUILD,
  fetch: Diagnostic_Kind.FETCH,
  other: Diagnostic_Kind.OTHER,
  template: Diagnostic_Kind.TEMPLATE,
};

const positionMax = 2 ** 31 - 1;

export const toDiagnosticMessage = ({kind, ...same}: Diagnostic): DiagnosticMessage =>
  create(DiagnosticSchema, {...same, kind: kinds[kind]});

/** As a builder hands it in: it quotes what Nix said, which may be anything, and may know kinds that came after this server. */
export const fromDiagnosticMessage = (message: DiagnosticMessage): Diagnostic => ({
  kind: diagnosticKinds.find(kind => kinds[kind] === message.kind) ?? 'other',
  message: message.message.replaceAll('\0', '\uFFFD'),
  source: message.source.replaceAll('\0', '\uFFFD'),
  line: Math.min(message.line, positionMax),
  column: Math.min(message.column, positionMax),
});
