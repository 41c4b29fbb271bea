import type {Diagnostic} from '@muster/proto/gen/muster/v1/builds_pb.ts';

/** "web.nix:3:5: Unexpected …", as compilers say it. `file` is what the machine's own module is called. */
export function describeDiagnostic(
  {source, line, column, message}: Diagnostic,
  file: string,
): string {
  const place = [source || file, ...(line > 0 ? [line, column] : [])].join(':');
  return `${place}: ${message}`;
}
