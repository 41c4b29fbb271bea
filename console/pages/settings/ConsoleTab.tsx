import {useState} from 'react';
import {type Density, setDensity, useDensity} from '../../hooks/use-density.ts';
import {setTheme, type Theme, useTheme} from '../../hooks/use-theme.ts';
import {Card} from '../../ui/blocks.tsx';
import {Button} from '../../ui/Button.tsx';
import {showToast} from '../../ui/Toast.tsx';
import './settings.css';

const themes: readonly (readonly [Theme, string])[] = [
  ['auto', 'As the system has it'],
  ['light', 'Light'],
  ['dark', 'Dark'],
];
const densities: readonly (readonly [Density, string])[] = [
  ['compact', 'Compact: more rows on a screen'],
  ['roomy', 'Roomy: larger text'],
];
const storagePrefix = 'muster.';

/** Kept in this browser only; nothing secret is among it. */
export function ConsoleTab() {
  const theme = useTheme();
  const density = useDensity();
  return (
    <div className="settings-cards">
      <Card title="Looks">
        <div className="form">
          <Choices legend="Colours" name="theme" choices={themes} value={theme} onPick={setTheme} />
          <Choices
            legend="Density"
            name="density"
            choices={densities}
            value={density}
            onPick={setDensity}
          />
        </div>
      </Card>
      <ForgetCard />
    </div>
  );
}

type ChoicesProps<Value extends string> = {
  readonly legend: string;
  readonly name: string;
  readonly choices: readonly (readonly [Value, string])[];
  readonly value: Value;
  readonly onPick: (value: Value) => void;
};

function Choices<Value extends string>(props: ChoicesProps<Value>) {
  return (
    <fieldset className="theme-choice">
      <legend>{props.legend}</legend>
      {props.choices.map(([value, label]) => (
        <label key={value} className="checkbox">
          <input
            type="radio"
            name={props.name}
            checked={value === props.value}
            onChange={() => props.onPick(value)}
          />
          <span>{label}</span>
        </label>
      ))}
    </fieldset>
  );
}

function ForgetCard() {
  // What is kept changes by the choices beside this card, and by what this card does.
  useTheme();
  useDensity();
  const [, setTimes] = useState(0);
  const again = () => setTimes(times => times + 1);
  const kept = Object.keys(localStorage).filter(isOurs).length;
  const forget = () => {
    const saved = Object.keys(localStorage)
      .filter(isOurs)
      .map(key => [key, localStorage.getItem(key) ?? ''] as const);
    for (const [key] of saved) localStorage.removeItem(key);
    setTheme('auto');
    setDensity('compact');
    again();
    showToast('Everything is as it comes', {
      undo: () => {
        for (const [key, value] of saved) localStorage.setItem(key, value);
        setTheme(themeOf(localStorage.getItem('muster.theme')));
        setDensity(localStorage.getItem('muster.density') === 'roomy' ? 'roomy' : 'compact');
        again();
      },
    });
  };
  return (
    <Card title="What this browser keeps">
      <div className="prose">
        <p>
          Colours, density and the columns that you chose for tables, in this browser only. Who you
          are is a cookie that no script reads.
        </p>
        <div>
          <Button
            icon="undo"
            disabledReason={kept === 0 ? 'Nothing is kept: all is as it comes' : undefined}
            onClick={forget}
          >
            Put everything back
          </Button>
        </div>
      </div>
    </Card>
  );
}

const isOurs = (key: string): boolean => key.startsWith(storagePrefix);
const themeOf = (text: string | null): Theme =>
  text === 'light' || text === 'dark' ? text : 'auto';
