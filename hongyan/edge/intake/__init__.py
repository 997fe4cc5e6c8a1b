"""Events over HTTP in front of Django: ``application`` answers, ``keys`` knows who may send, ``inbox`` commits."""
