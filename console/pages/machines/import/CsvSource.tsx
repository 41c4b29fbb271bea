import {type DragEvent, useRef, useState} from 'react';
import {TextAreaField} from '../../../forms/fields.tsx';
import {Button} from '../../../ui/Button.tsx';
import {formatBytes, formatCount, plural} from '../../../ui/format.ts';
import {Icon} from '../../../ui/icons.tsx';
import {Notice} from '../../../ui/states.tsx';
import {csvBytesMax, csvRowsMax} from './csv-file.ts';
import type {Source} from './use-import.ts';

/** A longer text makes a field slow. */
const editableCharactersMax = 256 * 1024;

const limits = `At most ${formatCount(csvRowsMax)} lines and ${formatBytes(csvBytesMax)}, UTF-8`;

type CsvSourceProps = {
  readonly source: Source;
  readonly rowCount: number;
  readonly onChange: (source: Source) => void;
};

/** Where the lines come from: a file that is chosen or dropped, or a text. */
export function CsvSource({source, rowCount, onChange}: CsvSourceProps) {
  const [problem, setProblem] = useState<string>();
  const [isOver, setOver] = useState(false);
  const take = async (file: File | undefined) => {
    if (!file) return;
    const read = await readFile(file);
    setProblem(read.problem);
    if (read.text !== undefined) onChange({name: file.name, text: read.text});
  };
  const drop = (event: DragEvent) => {
    event.preventDefault();
    setOver(false);
    void take(event.dataTransfer.files[0]);
  };
  return (
    <div
      className="csv-source"
      data-over={isOver || undefined}
      onDragOver={event => {
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={drop}
    >
      <FileChooser name={source.name} onFile={file => void take(file)} />
      {problem !== undefined && (
        <Notice tone="bad" icon="warning">
          {problem}
        </Notice>
      )}
      {source.name === undefined ? (
        <TextAreaField
          label="Or write it here"
          className="input mono"
          rows={5}
          spellCheck={false}
          autoCapitalize="off"
          placeholder={example}
          error={mistakeOf(source.text)}
          value={source.text}
          onChange={({target}) => {
            setProblem(undefined);
            onChange({name: undefined, text: target.value});
          }}
        />
      ) : (
        <ChosenFile source={source} rowCount={rowCount} onChange={onChange} />
      )}
    </div>
  );
}

type FileChooserProps = {
  readonly name: string | undefined;
  readonly onFile: (file: File | undefined) => void;
};

function FileChooser({name, onFile}: FileChooserProps) {
  const input = useRef<HTMLInputElement>(null);
  return (
    <div className="csv-source-file">
      <Button icon="upload" onClick={() => input.current?.click()}>
        {name === undefined ? 'Choose a file' : 'Choose another file'}
      </Button>
      <input
        ref={input}
        type="file"
        hidden
        aria-label="CSV file"
        accept=".csv,text/csv,text/plain"
        onChange={({target}) => {
          onFile(target.files?.[0]);
          // The same file again, once it is corrected, is a change, too.
          target.value = '';
        }}
      />
      <span className="muted">
        {name === undefined && 'or drop it here. '}
        {limits}
      </span>
    </div>
  );
}

function ChosenFile({source, rowCount, onChange}: CsvSourceProps) {
  const {name = '', text} = source;
  return (
    <div className="csv-chosen">
      <Icon name="template" />
      <strong>{name}</strong>
      <span className="muted">
        {plural(rowCount, 'line')} with a machine · {formatBytes(text.length)}
      </span>
      <Button
        kind="quiet"
        disabledReason={
          text.length > editableCharactersMax
            ? `Only up to ${formatBytes(editableCharactersMax)}: use an editor`
            : undefined
        }
        onClick={() => onChange({name: undefined, text})}
      >
        Correct it here
      </Button>
      <Button kind="quiet" icon="close" onClick={() => onChange({name: undefined, text: ''})}>
        Take it away
      </Button>
    </div>
  );
}

export const example = `serial,macs,hostname,groups,label.rack
ABC1234,52:54:00:aa:00:01 52:54:00:aa:00:02,web1,web-servers,r7`;

/** Before anything is sent. */
export const mistakeOf = (text: string): string | undefined =>
  text.length > csvBytesMax ? tooLarge(text.length) : undefined;

const tooLarge = (bytes: number) =>
  `It has ${formatBytes(bytes)}, and at most ${formatBytes(csvBytesMax)} are taken: import it in parts`;

type Read = {readonly text?: string; readonly problem?: string};

async function readFile(file: File): Promise<Read> {
  if (file.size > csvBytesMax) return {problem: tooLarge(file.size)};
  try {
    const bytes = await file.arrayBuffer();
    return {text: new TextDecoder('utf-8', {fatal: true}).decode(bytes)};
  } catch (error) {
    if (error instanceof TypeError)
      return {problem: `“${file.name}” is no UTF-8 text: save it as “CSV UTF-8”`};
    return {problem: `“${file.name}” cannot be read: choose it again`};
  }
}
