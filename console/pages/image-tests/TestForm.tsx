import {ImageTestService} from '@muster/proto/gen/muster/v1/image_tests_pb.ts';
import {ImageService} from '@muster/proto/gen/muster/v1/images_pb.ts';
import {Permission} from '@muster/proto/gen/muster/v1/options_pb.ts';
import {useNavigate} from '@tanstack/react-router';
import {useState} from 'react';
import {useMay, useOperateReason} from '../../api/caller.ts';
import {useAction} from '../../api/use-action.ts';
import {Mistake} from '../../forms/fields.tsx';
import {Form} from '../../forms/Form.tsx';
import {FormFooter} from '../../forms/FormFooter.tsx';
import {LeaveGuard} from '../../forms/LeaveGuard.tsx';
import {RadioCards} from '../../forms/RadioCards.tsx';
import {PageHeader} from '../../ui/blocks.tsx';
import {Button, ButtonLink} from '../../ui/Button.tsx';
import {Chip} from '../../ui/Chip.tsx';
import {MachineLink} from '../machines/MachineLink.tsx';
import {MachinePicker} from '../machines/MachinePicker.tsx';
import {ImageField} from './ImageField.tsx';
import {PlanFields} from './PlanFields.tsx';
import {
  firstDraft,
  hasMistake,
  requestOf,
  type TestDraft,
  testMistakes,
  usualFirmware,
} from './test-draft.ts';
import {testTypes} from './test-words.ts';

const firmwares = [
  {value: 'both', label: 'BIOS, then UEFI', note: 'the first that fails ends the test'},
  {value: 'bios', label: 'BIOS', note: 'legacy boot'},
  {value: 'uefi', label: 'UEFI', note: 'without Secure Boot'},
] as const;

/** What is tested, how, and for how long. */
export function TestForm({
  imageId,
  machineId,
}: {
  readonly imageId: string;
  readonly machineId: string;
}) {
  const [first] = useState<TestDraft>(() => ({...firstDraft, image: imageId, machineId}));
  const [draft, setDraft] = useState(first);
  const [isTried, setTried] = useState(false);
  const mustNameMachine = !useMay(Permission.OPERATE);
  const {mutate, isPending, isSuccess, error} = useCreateTest();
  const mistakes = testMistakes(draft, mustNameMachine);
  const shown: Partial<typeof mistakes> = isTried ? mistakes : {};
  const change = (part: Partial<TestDraft>) => setDraft({...draft, ...part});
  const submit = () => {
    setTried(true);
    if (!hasMistake(mistakes)) mutate(requestOf(draft));
  };
  return (
    <Form className="page form roomy" onSubmit={submit} aria-label="Test an image">
      <PageHeader title="Test an image" />
      <ImageField value={draft.image} onChange={image => change({image})} error={shown.image} />
      <RadioCards
        label="What is tested"
        value={draft.type}
        onChange={type => change({type, firmware: usualFirmware(type)})}
        options={testTypes}
      />
      <PlanFields draft={draft} change={change} mistakes={shown} />
      <RadioCards
        label="Firmware"
        value={draft.firmware}
        onChange={firmware => change({firmware})}
        options={firmwares}
      />
      <MachineField
        id={draft.machineId}
        onChange={machineId => change({machineId})}
        error={shown.machine}
      />
      <Footer error={error} hasMistakes={isTried && hasMistake(mistakes)} isPending={isPending} />
      <LeaveGuard isDirty={!isSuccess && JSON.stringify(draft) !== JSON.stringify(first)} />
    </Form>
  );
}

function Footer({
  error,
  hasMistakes,
  isPending,
}: {
  readonly error: unknown;
  readonly hasMistakes: boolean;
  readonly isPending: boolean;
}) {
  const disabledReason = useOperateReason('any');
  return (
    <FormFooter error={error} attempt="ask for the test" hasMistakes={hasMistakes}>
      <ButtonLink to="/image-tests" search={old => ({...old, mode: undefined})}>
        Cancel
      </ButtonLink>
      <Button type="submit" kind="primary" busy={isPending} disabledReason={disabledReason}>
        Start the test
      </Button>
    </FormFooter>
  );
}

function useCreateTest() {
  const navigate = useNavigate({from: '/image-tests'});
  return useAction(ImageTestService.method.createImageTest, {
    done: () => 'The test waits for a builder',
    onDone: ({imageTest}) =>
      imageTest && void navigate({search: {test: imageTest.id}, ignoreBlocker: true}),
    also: [ImageService],
  });
}

type MachineFieldProps = {
  readonly id: string;
  readonly onChange: (id: string) => void;
  readonly error: string | undefined;
};

function MachineField({id, onChange, error}: MachineFieldProps) {
  return (
    <div className="field">
      <span className="field-name">For a machine (optional)</span>
      {id === '' ? (
        <MachinePicker label="For the machine" onPick={machine => onChange(machine.id)} />
      ) : (
        <div>
          <Chip label="For no machine" onRemove={() => onChange('')}>
            <MachineLink id={id} />
          </Chip>
        </div>
      )}
      <div className="hint">No real machine takes part: it only says whose test it is.</div>
      <Mistake text={error} />
    </div>
  );
}
