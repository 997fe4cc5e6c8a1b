"""One mail to one audience: preflight, approval, frozen recipients, pause, resume, cancel."""
