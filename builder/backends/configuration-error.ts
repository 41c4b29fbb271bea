import type {MessageInitShape} from '@bufbuild/protobuf';
import type {DiagnosticSchema} from '@muster/proto/gen/muster/v1/builds_pb.ts';

export type DiagnosticInit = Omit<MessageInitShape<typeof DiagnosticSchema>, '$typeName'>;

/** What FinishBuildRequest takes. */
const diagnosticsMax = 64;
const messageLengthMax = 4096;
const shownMax = 3;

/** The configuration is at fault, not the builder: what is wrong, and where. */
export class ConfigurationError extends Error {
  readonly diagnostics: readonly DiagnosticInit[];

  constructor(diagnostics: readonly DiagnosticInit[]) {
    super(
      diagnostics
        .slice(0, shownMax)
        .map(({message = ''}) => message)
        .join('; '),
    );
    this.diagnostics = diagnostics.slice(0, diagnosticsMax).map(diagnostic => ({
      ...diagnostic,
      message: (diagnostic.message ?? '').slice(0, messageLengthMax),
    }));
  }
}
