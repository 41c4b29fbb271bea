import {
  type ImageGate_Requirement as Requirement,
  ImageGate_Verdict,
  ImageGate_VerdictSchema,
  ImageGateSchema,
  ImageTest_StatusSchema,
} from '@muster/proto/gen/muster/v1/image_tests_pb.ts';
import type {Command} from 'commander';
import {contextOf, machineIdOf} from '../context.ts';
import {assertAnswered} from '../exit-status.ts';
import {type Column, nameOf} from '../output.ts';

/** `muster image-tests gate` */
export function addGateCommand(tests: Command): void {
  tests
    .command('gate <machine>')
    .description('which tests the groups of a machine require of its image, and what is known')
    .option('--image <image>', 'of this image, whether it is meant for the machine or not')
    .addHelpText('after', '\nExample: muster image-tests gate ABC1234')
    .action(gate);
}

const requirementColumns: readonly Column<Requirement>[] = [
  {title: 'TEST', value: ({test}) => test},
  {title: 'FROM', value: ({origins}) => origins.join(', ')},
  {
    title: 'STATUS',
    value: ({status}) => (status === 0 ? '' : nameOf(ImageTest_StatusSchema, status)),
  },
  {title: 'EXPLANATION', value: ({explanation}) => explanation},
];

async function gate(
  name: string,
  options: {readonly image?: string},
  command: Command,
): Promise<void> {
  const context = contextOf(command);
  const {out} = context;
  const machineId = await machineIdOf(context, name);
  const {image: imageId = ''} = options;
  const answer = await context.clients.imageTests.explainImageGate({machineId, imageId});
  assertAnswered(answer.gate);
  const {verdict, reason, held, requirements, imageId: id} = answer.gate;
  if (out.json) return out.document(ImageGateSchema, answer.gate);
  out.record({
    image: id,
    gate: `${nameOf(ImageGate_VerdictSchema, verdict)}${held ? ', the image is held back' : ''}`,
    reason,
  });
  if (requirements.length > 0) out.table(requirementColumns, requirements);
  if (verdict === ImageGate_Verdict.CLOSED)
    context.remark('Correct the configuration and build again, or run the failed test once more');
}
