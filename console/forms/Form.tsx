import type {FormHTMLAttributes} from 'react';
import './fields.css';

type FormProps = Omit<FormHTMLAttributes<HTMLFormElement>, 'onSubmit'> & {
  readonly onSubmit: () => void;
};

/** A form that the page sends, not the browser. */
export const Form = ({onSubmit, className = 'form', ...rest}: FormProps) => (
  <form
    className={className}
    {...rest}
    onSubmit={event => {
      event.preventDefault();
      onSubmit();
    }}
  />
);
