"""Does a pump keep to the Insulin Delivery Service 1.0.2? Its octets are judged by the specification alone."""
