import {type BuildSpec, Diagnostic_Kind} from '@muster/proto/gen/muster/v1/builds_pb.ts';
import {findPrivateKey} from '../../private-keys.ts';
import type {DiagnosticInit} from '../configuration-error.ts';

/** The store is readable by everybody on the builder, and the image by everybody on the boot network. */
export function findSecrets(spec: BuildSpec): DiagnosticInit[] {
  const texts: {source: string; where: string; text: string}[] = [
    {source: '', where: 'The module', text: spec.nixosConfig},
  ];
  for (const {name, nixosModule, parameters} of spec.templates) {
    const source = `templates/${name}`;
    texts.push({source, where: `Template "${name}"`, text: nixosModule});
    for (const [parameter, value] of Object.entries(parameters ?? {}))
      for (const text of stringsOf(value))
        texts.push({source, where: `Parameter "${parameter}" of template "${name}"`, text});
  }
  for (const text of stringsOf(spec.facts))
    texts.push({source: '', where: 'What is known of the machine (its SSH keys, say)', text});
  return texts.flatMap(({source, where, text}) => {
    const secret = findPrivateKey(text);
    if (secret === undefined) return [];
    return [
      {
        kind: Diagnostic_Kind.SECRET,
        source,
        message: `${where} looks like it holds ${secret}: images are public, give the machine its secrets after it has booted`,
      },
    ];
  });
}

function stringsOf(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  if (typeof value !== 'object' || value === null) return [];
  return Object.values(value).flatMap(stringsOf);
}
