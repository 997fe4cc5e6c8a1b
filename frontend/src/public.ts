import "./styles/public.css";
