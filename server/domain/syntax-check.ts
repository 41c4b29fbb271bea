import type {Diagnostic} from '../store/diagnostics.ts';
import {checkNixSyntax} from './nix-syntax.ts';
import {locatePrivateKey} from './private-keys.ts';
import {positionOf} from './text-positions.ts';

/** What can be said of a Nix text at once, without evaluating it. `source` is empty, or "templates/NAME". */
export function checkNixText(text: string, source: string): readonly Diagnostic[] {
  const syntax = checkNixSyntax(text);
  const secret = locatePrivateKey(text);
  return [
    ...(syntax
      ? [
          {
            kind: 'syntax',
            message: syntax.message,
            source,
            ...positionOf(text, syntax.offset),
          } as const,
        ]
      : []),
    ...(secret
      ? [
          {
            kind: 'secret',
            message: `This looks like ${secret.what}: images are readable by all, so no secret may be in one`,
            source,
            ...positionOf(text, secret.offset),
          } as const,
        ]
      : []),
  ];
}

/** "templates/web:3:5: Unexpected …" */
export function describeDiagnostic({source, line, column, message}: Diagnostic): string {
  const place = [source, ...(line > 0 ? [line, column] : [])].filter(part => part !== '');
  return place.length > 0 ? `${place.join(':')}: ${message}` : message;
}
