import uPlot from 'uplot';
import {useEffect, useRef} from 'react';
import 'uplot/dist/uPlot.min.css';
import {useTheme} from '../../../hooks/use-theme.ts';
import type {ChartData} from './series.ts';

const heightPx = 160;
const zoomPxMin = 8;
/** All charts of the page move their cursor together. */
const cursors = uPlot.sync('machine-metrics');
/** Told apart by their dashes, too. */
const dashes = [[], [6, 3]] as const;

type ChartProps = {
  readonly data: ChartData;
  readonly times: readonly number[];
  readonly onZoom: (fromS: number, untilS: number) => void;
};

export function Chart({data, times, onZoom}: ChartProps) {
  const box = useRef<HTMLDivElement>(null);
  const zoom = useRef(onZoom);
  const theme = useTheme();
  useEffect(() => {
    zoom.current = onZoom;
  });
  useEffect(() => {
    const element = box.current;
    if (!element) return undefined;
    const plot = new uPlot(
      optionsOf(data, element, (from, until) => zoom.current(from, until)),
      [times, ...data.series.map(({values}) => values)] as uPlot.AlignedData,
      element,
    );
    const observer = new ResizeObserver(() =>
      plot.setSize({width: element.clientWidth, height: heightPx}),
    );
    observer.observe(element);
    return () => {
      observer.disconnect();
      plot.destroy();
    };
  }, [data, times, theme]);
  return (
    <figure className="chart" aria-label={`${data.title}: ${summaryOf(data)}`}>
      <figcaption>
        <h2>{data.title}</h2>
        <span className="muted">{summaryOf(data)}</span>
      </figcaption>
      <div ref={box} />
    </figure>
  );
}

function optionsOf(
  data: ChartData,
  element: HTMLElement,
  onZoom: (fromS: number, untilS: number) => void,
): uPlot.Options {
  const style = getComputedStyle(element);
  const colour = (name: string) => resolved(element, style.getPropertyValue(name));
  const muted = colour('--muted');
  const grid = {stroke: colour('--surface-3'), width: 1};
  const lines = [colour('--accent'), colour('--busy')];
  return {
    width: element.clientWidth,
    height: heightPx,
    cursor: {
      sync: {key: cursors.key},
      drag: {x: true, y: false, setScale: false},
    },
    scales: data.max === undefined ? {} : {y: {range: [0, data.max]}},
    axes: [
      {stroke: muted, grid, ticks: grid, values: (_, marks) => timeMarks(marks)},
      {
        stroke: muted,
        grid,
        ticks: grid,
        size: 88,
        values: (_, marks) => marks.map(mark => data.format(mark)),
      },
    ],
    series: [
      {value: (_, time) => (time === null ? '–' : exact.format(time * 1000))},
      ...data.series.map(({label}, index) => ({
        label,
        stroke: lines[index % lines.length] ?? muted,
        width: 1.5,
        dash: [...(dashes[index % dashes.length] ?? [])],
        points: {show: false},
        value: (_: uPlot, value: number | null) => (value === null ? '–' : data.format(value)),
      })),
    ],
    hooks: {
      setSelect: [
        plot => {
          const {left, width} = plot.select;
          if (width < zoomPxMin) return;
          onZoom(plot.posToVal(left, 'x'), plot.posToVal(left + width, 'x'));
          plot.setSelect({left: 0, width: 0, top: 0, height: 0}, false);
        },
      ],
    },
  };
}

const exact = new Intl.DateTimeFormat('en-GB', {dateStyle: 'medium', timeStyle: 'medium'});
const clock = new Intl.DateTimeFormat('en-GB', {hour: '2-digit', minute: '2-digit'});
const seconds = new Intl.DateTimeFormat('en-GB', {timeStyle: 'medium'});
const day = new Intl.DateTimeFormat('en-GB', {day: 'numeric', month: 'short'});

/** No finer than the marks are apart. */
function timeMarks(marks: readonly number[]): string[] {
  const stepS = (marks[1] ?? 0) - (marks[0] ?? 0);
  const format = stepS < 60 ? seconds : stepS < 86_400 ? clock : day;
  return marks.map(mark => format.format(mark * 1000));
}

/** A canvas knows no light-dark(): the browser says what it comes to. */
function resolved(element: HTMLElement, value: string): string {
  const probe = document.createElement('span');
  probe.style.color = value;
  element.append(probe);
  const {color} = getComputedStyle(probe);
  probe.remove();
  return color;
}

/** For those who do not see the lines: the newest, the least, the most. */
function summaryOf({series, format}: ChartData): string {
  return series
    .map(({label, values}) => {
      const known = values.filter(value => value !== null);
      const last = known.at(-1);
      if (last === undefined) return '';
      const [least, most] = known.reduce(
        ([low, high], value) => [Math.min(low, value), Math.max(high, value)],
        [last, last],
      );
      return `${label} ${format(last)} (${format(least)} to ${format(most)})`;
    })
    .filter(Boolean)
    .join(', ');
}
