import { mount } from 'svelte';
import App from './App.svelte';
import './app.css';
import { lang } from './i18n/index.svelte';
import './lib/theme.svelte';

lang.set(lang.now);
const target = document.getElementById('app');
if (target) mount(App, { target });
